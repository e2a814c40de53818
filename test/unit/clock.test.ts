// How far times that the kernel wrote down may be off from start times.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { Clock, clockSlack } from '../../native-probe/context';

const devtmpfs = '24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,size=12334432k,mode=755\n25 24 0:22 / /dev/pts rw - devpts devpts rw\n';
const boot = Date.parse('2026-01-01T00:00:00Z');

describe('the clock', () => {
  it('takes the time of boot from now and the uptime', () => {
    assert.equal(new Clock('1000.50 3.00', boot + 1_000_500).bootMs, boot);
    assert.equal(new Clock('nonsense', boot).bootMs, boot, 'unreadable');
  });
  it('is trusted to whole seconds where nobody set it since boot', () => {
    assert.equal(clockSlack(new Clock('1000.00', boot + 1_000_000), devtmpfs, boot), 2000);
  });
  it('is off by what it was set since boot, forwards or backwards', () => {
    fc.assert(fc.property(fc.integer({ min: -1e9, max: 1e9 }), set => {
      assert.equal(clockSlack(new Clock('1000.00', boot + 1_000_000 + set), devtmpfs, boot), 2000 + Math.abs(set));
    }));
  });
  it('says nothing in a container, whose /dev is younger than the kernel, or where there is none', () => {
    assert.equal(clockSlack(new Clock('1000.00', boot + 1_000_000), '24 27 0:6 / /dev rw - tmpfs tmpfs rw\n', boot), undefined);
    assert.equal(clockSlack(new Clock('1000.00', boot + 1_000_000), `${devtmpfs}30 24 0:30 / /dev rw - tmpfs tmpfs rw\n`, boot), undefined, 'mounted over it');
    assert.equal(clockSlack(new Clock('1000.00', boot + 1_000_000), '', boot), undefined);
    assert.equal(clockSlack(new Clock('1000.00', boot + 1_000_000), devtmpfs, null), undefined, 'no /dev/null');
  });
});
