import { expect } from 'chai';
import { withoutEchoes } from '../../../../services/delivery/echoes.ts';

const headers = { authorization: 'Bearer abc"def', 'x-key': 'Bearer abc"def-longer', 'x-n': '1' };

describe('an answer that echoes headers', () => {
  it('keeps nothing of their values, as they were sent or as JSON writes them', () => {
    const text = `1 {"a":"Bearer abc\\"def"} Bearer abc"def, Bearer abc"def-longer! Bearer abc"def`;
    expect(withoutEchoes(text, headers)).to.equal('1 {"a":"[redacted]"} [redacted], [redacted]! [redacted]');
  });

  it('keeps nothing where it was cut off in the midst of one', () => {
    expect(withoutEchoes('you sent: Bearer abc"de', headers)).to.equal('you sent: [redacted]');
    expect(withoutEchoes('you sent: Bearer abc"def-lo', headers)).to.equal('you sent: [redacted]-lo');
  });

  it('is else as it was', () => {
    for (const text of ['', 'ok', 'Bearer', 'a Bear', '{"status":"1"}'])
      expect(withoutEchoes(text, headers)).to.equal(text);
    expect(withoutEchoes('anything', {})).to.equal('anything');
  });
});
