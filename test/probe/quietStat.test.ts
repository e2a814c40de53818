// What statx(2) tells without asking anybody is what node:fs tells.
import { strict as assert } from 'node:assert';
import { closeSync, futimesSync, lstatSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inodeTimes } from '../../native-probe/facilities/inodeTimes';
import { statQuietly } from '../../native-probe/kernel/quietStat';
import { scratchDirectory } from './harness';

describe('a quiet stat', () => {
  it('makes the same times as node:fs to the millisecond, whatever the fraction: removal compares them', () => {
    const file = join(scratchDirectory(), 'quiet');
    const fd = openSync(file, 'w');
    try {
      for (const fraction of [0, 0.0004, 0.0005, 0.0006, 0.4999, 0.9994, 0.9996]) {
        futimesSync(fd, 1_700_000_000 + fraction, 1_700_000_000 + fraction);
        const [quiet, loud] = [statQuietly(file).value ?? assert.fail(), lstatSync(file)];
        assert.deepEqual(inodeTimes(quiet), inodeTimes(loud), String(fraction));
        assert.deepEqual([quiet.ino, quiet.dev, quiet.size, quiet.mode, quiet.nlink], [loud.ino, loud.dev, loud.size, loud.mode, loud.nlink]);
      }
    } finally {
      closeSync(fd);
      rmSync(file);
    }
  });
});
