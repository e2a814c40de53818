// Time limits of descriptors, as the kernel's structures tell them.
import { strict as assert } from 'node:assert';
import { terminalLimitOf } from '../../native-probe/kernel/timeLimits';

const ICANON = 0x2;

/** struct termios of TCGETS (asm-generic/termbits.h). */
function termios(localFlags: number, vtime: number): Buffer {
  const bytes = Buffer.alloc(36);
  bytes.writeUInt32LE(localFlags, 12);
  bytes.writeUInt8(vtime, 17 + 5);
  return bytes;
}

describe('the time limit of a terminal', () => {
  it('is VTIME, in tenths of a second, where lines are not edited', () => {
    assert.equal(terminalLimitOf(termios(0, 15)), 1_500_000_000n);
    assert.equal(terminalLimitOf(termios(0, 0)), 0n);
  });
  it('is none while lines are edited, whatever VTIME holds', () => {
    assert.equal(terminalLimitOf(termios(ICANON, 15)), 0n);
  });
});
