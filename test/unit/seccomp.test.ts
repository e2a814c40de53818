// The filter of system calls, run by a small interpreter of classic BPF (bpf(2), struct seccomp_data) over every call that is asked about.
import { strict as assert } from 'node:assert';
import { filterFor, refusedCalls } from '../../native-probe/kernel/seccomp';
import { syscallNumber } from '../../native-probe/kernel/syscalls';
import { skip } from '../skip';

const ALLOW = 0x7fff0000, EPERM = 0x00050001, ENOSYS = 0x00050026;
const ours = process.arch === 'arm64' ? 0xc00000b7 : 0xc000003e;

/** What the filter says to a call. */
function verdict(filter: Buffer, call: { nr: number; arch?: number; argument?: number }): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.nr, 0);
  data.writeUInt32LE(call.arch ?? ours, 4);
  data.writeBigUInt64LE(BigInt(call.argument ?? 0), 16);
  let accumulator = 0;
  for (let at = 0; at * 8 < filter.length; at++) {
    const [code, ifTrue, ifFalse, k] = [filter.readUInt16LE(at * 8), filter[at * 8 + 2] ?? 0, filter[at * 8 + 3] ?? 0, filter.readUInt32LE(at * 8 + 4)];
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x06) return k;
    else at += (code === 0x15 ? accumulator === k : code === 0x35 ? accumulator >= k : (accumulator & k) !== 0) ? ifTrue : ifFalse;
  }
  return assert.fail('ran over the end');
}

describe('the filter of system calls', function () {
  const filter = filterFor(process.arch);
  before(function () { if (!filter) skip(this, `there is no filter for ${process.arch}`); });
  const says = (call: Parameters<typeof verdict>[1]): number => verdict(filter ?? assert.fail(), call);
  const number = (name: Parameters<typeof syscallNumber>[0]): number => syscallNumber(name) ?? assert.fail(name);

  it('refuses programs, traces, signals and changes of the machine, and nothing that looking, removing and restoring need', () => {
    for (const name of refusedCalls) if (syscallNumber(name) !== undefined) assert.equal(says({ nr: number(name) }), EPERM, name);
    for (const name of ['read', 'openat', 'setns', 'pidfd_getfd', 'tee', 'shmctl', 'shmat', 'semctl', 'msgrcv', 'fsopen', 'fsmount', 'capset', 'kcmp', 'process_vm_readv', 'mq_unlink', 'futex', 'mmap'] as const) assert.equal(says({ nr: number(name) }), ALLOW, name);
    assert.equal(says({ nr: 1_000 }), ALLOW);
  });

  it('lets threads be made, and no processes', () => {
    assert.equal(says({ nr: number('clone'), argument: 0x3d0f00 }), ALLOW, 'pthread_create');
    assert.equal(says({ nr: number('clone'), argument: 17 }), EPERM, 'fork');
    assert.equal(says({ nr: number('clone3') }), ENOSYS, 'the C library then uses clone');
  });

  it('is not passed by the calls of another architecture', () => {
    assert.equal(says({ nr: number('read'), arch: 0x40000003 }), EPERM, 'i386');
    if (process.arch === 'x64') assert.equal(says({ nr: 0x40000000 + number('read') }), EPERM, 'x32');
    assert.equal(filterFor('mips'), undefined);
  });
});
