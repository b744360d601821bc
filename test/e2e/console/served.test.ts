import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { useStack } from '../api/support.ts';

const PAGE = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe('the console, as it is served', () => {
  const { url } = useStack();
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(url() + path, { method, headers });

  /** As it is on the wire: `fetch` unpacks what it gets, and asks for no 304. */
  function onTheWire(path: string, headers: Record<string, string>) {
    return new Promise<{ status: number; encoding: string | undefined; bytes: Buffer }>((resolve, reject) => {
      const asking = request(url() + path, { headers }, async (answer) => {
        const parts: Buffer[] = [];
        for await (const part of answer) parts.push(part);
        const { statusCode: status = 0, headers } = answer;
        resolve({ status, encoding: headers['content-encoding'], bytes: Buffer.concat(parts) });
      });
      asking.on('error', reject).end();
    });
  }
  const bytesOf = (path: string, encoding: string) => onTheWire(path, { 'accept-encoding': encoding });

  const namedIn = (page: string) => [...page.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path = '']) => path);

  it('is a page for whoever would rather have that, and JSON for all others', async () => {
    const page = await ask('/', PAGE);
    expect(page.status).to.equal(200);
    expect(page.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect(await page.text()).to.match(/^<!doctype html>/);
    for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }]) {
      const answer = await ask('/', headers);
      expect(await answer.json()).to.include({ name: 'webhooks' });
      expect(answer.headers.get('vary')).to.match(/accept/i);
    }
  });

  it('lets nothing run, load or frame it but what is served here', async () => {
    const { headers } = await ask('/', PAGE);
    const policy = headers.get('content-security-policy')?.split('; ');
    expect(policy).to.include.members([
      ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'"],
      ...["form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"],
    ]);
    expect(policy?.join()).not.to.match(/unsafe|\*|data:|http/);
    expect(headers.get('x-content-type-options')).to.equal('nosniff');
    expect(headers.get('referrer-policy')).to.equal('no-referrer');
    expect(headers.get('cross-origin-opener-policy')).to.equal('same-origin');
  });

  it('names only what is there, each kept for good under its version, and has no script in it', async () => {
    const page = await (await ask('/', PAGE)).text();
    expect(page.replace(/<script type="module" src="[^"]+"><\/script>/, '')).not.to.match(
      /<script|<style|style=|\son\w+=/,
    );
    const paths = namedIn(page);
    expect(paths).to.have.length.above(20);
    expect(paths.filter((path) => /preact|htm\.js/.test(path))).to.have.length(3);
    expect(paths.filter((path) => /uplot|\/charts\.ts/.test(path))).to.deep.equal([]);
    for (const path of paths) {
      const { status, headers } = await ask(path);
      expect(status, path).to.equal(200);
      expect(headers.get('cache-control'), path).to.equal('public, max-age=31536000, immutable');
      expect(headers.get('content-type'), path).to.match(/^(text\/(javascript|css); charset=utf-8|image\/svg\+xml)$/);
    }
  });

  it('is JavaScript where it was TypeScript, and imports nothing that is not served', async () => {
    const paths = namedIn(await (await ask('/', PAGE)).text());
    const base = (paths[0] as string).replace(/[^/]+$/, '');
    const waiting = new Set(paths.filter((path) => /\.[jt]s$/.test(path)));
    for (const path of waiting) {
      const text = await (await ask(path)).text();
      expect(text, path).not.to.match(/^(import|export) type\b|^interface /m);
      const imported = [...text.matchAll(/(?:\bfrom\s*|\bimport\()['"]([\w@./:-]+)['"]/g)].map(([, name = '']) => name);
      // What a snippet for Node imports stands in a text.
      for (const name of imported.filter((name) => !name.startsWith('node:'))) {
        expect(name, path).to.match(/^\.\//);
        waiting.add(base + name.slice(2));
      }
      expect((await ask(path)).status, path).to.equal(200);
    }
    expect([...waiting].some((path) => path.endsWith('/uplot.js'))).to.equal(true);
  });

  it('is sent small: as brotli, gzip or as it is', async () => {
    const [path = ''] = namedIn(await (await ask('/', PAGE)).text()).filter((path) => path.endsWith('/preact.js'));
    const plain = await bytesOf(path, 'identity');
    const [br, gzip] = [await bytesOf(path, 'gzip, deflate, br'), await bytesOf(path, 'gzip')];
    expect([plain.encoding, br.encoding, gzip.encoding]).to.deep.equal([undefined, 'br', 'gzip']);
    expect(brotliDecompressSync(br.bytes).equals(plain.bytes)).to.equal(true);
    expect(gunzipSync(gzip.bytes).equals(plain.bytes)).to.equal(true);
    expect(br.bytes.length)
      .to.be.lessThan(gzip.bytes.length)
      .and.to.be.lessThan(plain.bytes.length / 2);
    expect((await bytesOf(path, 'br;q=0, gzip;q=0')).encoding).to.equal(undefined);
  });

  it('is not sent again where it is still the same', async () => {
    const page = await ask('/', PAGE);
    expect(page.headers.get('cache-control')).to.equal('no-cache');
    const etag = page.headers.get('etag') as string;
    const again = await onTheWire('/', { ...PAGE, 'if-none-match': etag });
    expect([again.status, again.bytes.length]).to.deep.equal([304, 0]);
    expect((await onTheWire('/', { ...PAGE, 'if-none-match': 'W/"another"' })).status).to.equal(200);
  });

  it('gives a page of another version what there is, and lets nobody keep that', async () => {
    const { status, headers } = await ask('/console/another/main.ts');
    expect(status).to.equal(200);
    expect(headers.get('cache-control')).to.equal('no-cache');
  });

  it('has nothing but its files', async () => {
    const [path = ''] = namedIn(await (await ask('/', PAGE)).text());
    const base = path.replace(/[^/]+$/, '');
    const nowhere = ['index.html', 'tsconfig.json', '..%2fapp.ts', '%2e%2e', 'preact', '__proto__', 'constructor', ''];
    for (const name of nowhere) expect((await ask(base + name)).status, name).to.equal(404);
    expect((await ask('/console/')).status).to.equal(404);
    for (const method of ['POST', 'PUT', 'DELETE']) expect((await ask(path, {}, method)).status, method).to.equal(405);
    const head = await ask(path, {}, 'HEAD');
    expect([head.status, await head.text()]).to.deep.equal([200, '']);
  });
});
