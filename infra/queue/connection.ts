import { readFileSync } from 'node:fs';
import { type ConnectionOptions, credsAuthenticator } from 'nats';
import { SettingError, type Settings } from '../settings.ts';

type Access = Pick<Settings, 'natsUser' | 'natsPassword' | 'natsCredentialsFile' | 'natsCaFile'>;

/**
 * What a connection to NATS needs beside the servers' addresses: who connects, and whom it trusts. With NATS_CA_FILE a server that speaks no TLS, or has
 * another's certificate, is refused; without it the server decides whether there is TLS, and the system's certificates are trusted.
 * @throws SettingError where the credentials file holds none
 */
export function connectionOptions({ natsUser, natsPassword, natsCredentialsFile, natsCaFile }: Access) {
  return {
    ...(natsUser !== undefined && { user: natsUser, pass: natsPassword ?? '' }),
    ...(natsCredentialsFile !== undefined && { authenticator: credentials(natsCredentialsFile) }),
    ...(natsCaFile !== undefined && { tls: { caFile: natsCaFile } }),
  } satisfies ConnectionOptions;
}

/** Read at each connect, as the client asks for them: credentials that are renewed need no restart. */
function credentials(file: string) {
  const authenticator = credsAuthenticator(() => new Uint8Array(readFileSync(file)));
  try {
    authenticator('');
  } catch {
    throw new SettingError('NATS_CREDENTIALS_FILE', 'must name a NATS credentials file: a user JWT and its seed');
  }
  return authenticator;
}
