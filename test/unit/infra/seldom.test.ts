import { expect } from 'chai';
import { seldom } from '../../../infra/seldom.ts';

describe('seldom', () => {
  it('does at most once in a time what it is asked to, with what it was asked with then', () => {
    let nowMs = 0;
    const said: string[] = [];
    const say = seldom(
      10,
      (text: string) => said.push(text),
      () => nowMs,
    );
    for (const [atMs, text] of [
      [0, 'a'],
      [1, 'b'],
      [9, 'c'],
      [10, 'd'],
      [19, 'e'],
      [45, 'f'],
    ] as const) {
      nowMs = atMs;
      say(text);
    }
    expect(said).to.deep.equal(['a', 'd', 'f']);
  });
});
