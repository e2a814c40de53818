// What LLDB 19.1 and GDB 13.1 really printed about addresses (recorded). CodeLLDB, cppdbg and GDB's adapter pass the same words on; they are untested.
import * as assert from 'node:assert/strict';
import { gdbMember, gdbSymbol, lldbPath, lldbSymbol } from '../../extension/debugger/symbolAnswers';
import { debuggerRow, isPlainName, tidsOfList, tidsOfNames, tidsOfThreads } from '../../extension/debugger/debuggerTable';

const lookup = (rest: string): string => `(lldb) image lookup --address 0x555555558088\n      Address: queue[0x0000000000004088] (queue.PT_LOAD[3]..data + 40)\n      Summary: ${rest}\n`;
const ledger = `(lldb) target variable -L -R ledger
0x0000555555558080: (book) ledger = {
0x0000555555558080:   entries = 3
0x0000555555558088:   lock = {
0x0000555555558088:     __data = {
0x0000555555558088:       __lock = 2
      }
0x0000555555558088:     __size ={...}
0x0000555555558088:     __align = 2
  }
0x00005555555580b0:   in = {
0x00005555555580b0:     n = 0
0x00005555555580b8:     lock = {
0x00005555555580b8:       __data ={...}
    }
  }
0x00005555555580f0:   many = {
0x00005555555580f0:     [0] = {
0x00005555555580f8:       lock ={...}
    }
  }
}
`;
const frame = `(lldb) frame variable -L -P 1 -R
0x00007ffff6dcdeb8: (void *) arg = 0x00005555555592a0 {}
0x00007ffff6dcdec8: (book *) own = 0x00005555555592a0 {
0x00005555555592a0:   entries = 0
0x00005555555592a8:   lock = {
0x00005555555592a8:     __data = {
0x00005555555592a8:       __lock = 2
    }
  }
}
0x00007ffff6dcded0: (pthread_mutex_t *) mutex = 0x0000555555558088 {
0x0000555555558088:   __data ={...}
}
`;
const shop = `0x0000000000004080: (shop::Ledger) shop::ledger = {
0x0000000000004080:   n = 1
0x0000000000004088:   lock = {
0x0000000000004088:     std::__mutex_base = {
0x0000000000004088:       _M_mutex = {
`;
const layout = `/* offset      |    size */  type = struct book {
/*      0      |       4 */    int entries;
/* XXX  4-byte hole      */
/*      8      |      40 */    pthread_mutex_t lock;
/*     48      |      48 */    struct shard {
/*     48      |       4 */        int n;
/* XXX  4-byte hole      */
/*     56      |      40 */        pthread_mutex_t lock;

                                   /* total size (bytes):   48 */
                               } in;
/*     96      |      96 */    struct shard many[2];
/*    192      |       8 */    union {
/*                     4 */        int a;
/*                     8 */        long b;

                                   /* total size (bytes):    8 */
                               } u;
/*    200: 0   |       4 */    unsigned int f : 3;
/*    201      |      16 */    char name[16];

                               /* total size (bytes):  224 */
                             }
`;

describe('what debuggers print about an address', () => {
  it('names variables by LLDB, none in a stripped program', () => {
    assert.deepEqual(lldbSymbol(lookup('queue`orders_lock')), { symbol: 'orders_lock', offset: 0 });
    assert.deepEqual(lldbSymbol(lookup('ledger + 8')), { symbol: 'ledger', offset: 8 });
    assert.deepEqual(lldbSymbol(lookup('cxx`shop::orders')), { symbol: 'shop::orders', offset: 0 });
    for (const nothing of [lookup(''), '(lldb) image lookup --address 0x7fffffffe6b8\n', lookup('queue..bss + 96'), lookup(`x${'y'.repeat(400)}`), lookup('far + 99999999')]) assert.equal(lldbSymbol(nothing), undefined, nothing);
  });

  it('names the member by LLDB, down to the C library\'s own', () => {
    assert.equal(lldbPath(ledger, 0x555555558088n), 'ledger.lock');
    assert.equal(lldbPath(ledger, 0x5555555580b8n), 'ledger.in.lock');
    assert.equal(lldbPath(ledger, 0x5555555580f8n), 'ledger.many[0].lock');
    assert.equal(lldbPath(shop, 0x4088n), 'shop::ledger.lock');
    assert.equal(lldbPath(ledger, 0x555555558089n), undefined);
  });

  it('names what lies on the heap by a variable that leads to it', () => {
    assert.equal(lldbPath(frame, 0x5555555592a8n), 'own->lock');
    assert.equal(lldbPath(frame, 0x555555558088n), '*mutex');
    assert.equal(lldbPath('nonsense\n0x: = \n0x00: (a) b\n', 0n), undefined);
  });

  it('names variables and members by GDB', () => {
    assert.deepEqual(gdbSymbol('ledger + 8 in section .data of /tmp/nm/queue\n'), { symbol: 'ledger', offset: 8 });
    assert.deepEqual(gdbSymbol('main in section .text\n'), { symbol: 'main', offset: 0 });
    assert.equal(gdbSymbol('No symbol matches 0x5652ee7382a8.\n'), undefined);
    assert.equal(gdbMember(layout, 8), 'lock');
    assert.equal(gdbMember(layout, 56), 'in.lock');
    assert.equal(gdbMember(layout, 96), 'many');
    assert.equal(gdbMember(layout, 12), undefined);
    const row = debuggerRow('cppdbg', {});
    assert.equal(row?.naming?.parseMember(layout, { symbol: 'ledger', offset: 56 }, 0n), 'ledger.in.lock');
    assert.deepEqual(row?.naming?.symbol(0x4088n), { expression: '-exec info symbol 0x4088', context: 'repl' });
  });

  it('puts no symbol into a command that is more than a name', () => {
    for (const name of ['orders_lock', 'shop::ledger', '_x1']) assert.ok(isPlainName(name), name);
    for (const name of ['a b', 'x;platform shell id', 'x\nquit', '`id`', 'f(int)', '-o', 'v<int>::lock', '', 'a'.repeat(300), 'x|y', '$(id)']) assert.ok(!isPlainName(name), name);
  });

  it('joins threads to TIDs by ids, by names, by GDB\'s list and by Python\'s', () => {
    assert.deepEqual([...tidsOfThreads([{ id: 26288, name: 'queue' }, { id: -1, name: '' }], { form: 'tids' })], [[26288, 26288]]);
    const delve = debuggerRow('delve', {})?.threads ?? assert.fail();
    assert.deepEqual([...tidsOfThreads([{ id: 1, name: '[Go 1] time.Sleep' }, { id: 18, name: '* [Go 18] syscall.RawSyscall6 (Thread 21448)' }], delve)], [[21448, 18]]);
    const gdb = debuggerRow('gdb', {})?.threads;
    assert.equal(gdb?.form, 'command');
    const list = '  Id   Target Id                                 Frame \n* 1    Thread 0x7f51e69c0740 (LWP 21910) "queue" main () at queue.c:57\n  2    Thread 0x7f51e69bf6c0 (LWP 21912) "queue" futex_wait (private=0) at x.h:146\n';
    assert.deepEqual([...tidsOfList(list, gdb.line)], [[21910, 1], [21912, 2]]);
    const threads = [{ id: 1, name: 'MainThread' }, { id: 2, name: 'Thread-6 (worker)' }, { id: 3, name: 'twin' }, { id: 4, name: 'twin' }];
    assert.deepEqual([...tidsOfNames('[(21720, \'MainThread\'), (21742, \'Thread-6 (worker)\'), (5, \'twin\'), (6, \'twin\')]', threads)], [[21720, 1], [21742, 2]]);
  });
});
