import { expect } from 'chai';
import type { JsMsg } from 'nats';
import { createHeld } from '../../../../services/delivery/held.ts';
import { waitFor } from '../../../support/wait.ts';

const ACK_WAIT_MS = 300;

describe('messages that are held', () => {
  let nowMs: number;
  let isConnected: boolean;
  let told: number;
  let held: ReturnType<typeof createHeld>;
  const message = { working: () => told++ } as unknown as JsMsg;

  beforeEach(() => {
    nowMs = 0;
    isConnected = true;
    told = 0;
    held = createHeld({ isConnected: () => isConnected }, ACK_WAIT_MS, () => nowMs);
    held.add(message);
  });
  afterEach(() => held.stop());

  it('are ours as long as the queue is told about them', async () => {
    for (let n = 1; n <= 3; n++) {
      nowMs += ACK_WAIT_MS - 1;
      expect(held.has(message)).to.equal(true);
      await waitFor('a word to the queue', () => told === n);
    }
  });

  it('are not ours once they have been silent for too long, whatever is said then', async () => {
    nowMs += ACK_WAIT_MS;
    expect(held.has(message)).to.equal(false);
    await waitFor('a word to the queue', () => told === 1);
    expect(held.has(message)).to.equal(false);
  });

  it('are not spoken of while nobody hears', async () => {
    isConnected = false;
    nowMs += ACK_WAIT_MS - 1;
    await waitFor('a look', () => !held.stoodStill());
    expect(told).to.equal(0);
    nowMs += 1;
    expect(held.has(message)).to.equal(false);
  });

  it('are in doubt where this process stood still', async () => {
    nowMs += ACK_WAIT_MS / 2 + 1;
    expect(held.stoodStill()).to.equal(true);
    await waitFor('a look', () => !held.stoodStill());
  });
});
