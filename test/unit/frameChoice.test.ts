// Stacks as adapters really told them: which frame matters.
import * as assert from 'node:assert/strict';
import { framesOf, localsOf, resultOf, threadsOf } from '../../extension/debugger/dapAnswers';
import { frameThatMatters } from '../../extension/debugger/frameChoice';

const stack = (...frames: readonly (readonly [name: string, path?: string, line?: number, hint?: string])[]) =>
  framesOf({ stackFrames: frames.map(([name, path, line = 0, presentationHint], id) => ({ id, name, line, column: 1, ...(path === undefined ? {} : { source: { path } }), ...(presentationHint === undefined ? {} : { presentationHint }) })) });
const lineOf = (frames: ReturnType<typeof stack>): string | undefined => {
  const frame = frameThatMatters(frames);
  return frame && `${frame.path ?? frame.name}:${frame.line}`;
};

describe('the frame that matters', () => {
  it('is the first outside of glibc, which tells relative paths (lldb-dap)', () => {
    assert.equal(lineOf(stack(['futex_wait', 'sysdeps/nptl/futex-internal.h', 146], ['__GI___lll_lock_wait', 'nptl/lowlevellock.c', 49], ['___pthread_mutex_lock', 'nptl/pthread_mutex_lock.c', 93], ['take', '/src/queue.c', 14], ['clerk', '/src/queue.c', 20], ['start_thread', 'nptl/pthread_create.c', 442])), '/src/queue.c:14');
  });
  it('is the first outside of libraries in /usr, glibc built elsewhere, and C++\'s headers', () => {
    assert.equal(lineOf(stack(['futex_wait', '/build/glibc-6iIyft/glibc-2.36/nptl/futex-internal.h', 146], ['std::mutex::lock()', '/usr/include/c++/12/bits/std_mutex.h', 100], ['main', '/home/me/cxx.cpp', 4])), '/home/me/cxx.cpp:4');
  });
  it('is the first outside of Go\'s run-time (delve)', () => {
    assert.equal(lineOf(stack(['runtime/internal/syscall.Syscall6', '/usr/lib/go-1.19/src/runtime/internal/syscall/asm_linux_amd64.s', 36], ['syscall.Flock', '/usr/lib/go-1.19/src/syscall/zsyscall_linux_amd64.go', 413], ['main.locker', '/src/main.go', 3], ['runtime.goexit', '/usr/lib/go-1.19/src/runtime/asm_amd64.s', 1594, 'subtle'])), '/src/main.go:3');
    assert.equal(lineOf(stack(['sync.(*Mutex).Lock', '/opt/go/src/sync/mutex.go', 90], ['main.main.func1', '/src/main.go', 8])), '/src/main.go:8');
  });
  it('may come with a path that VS Code has made an URI of', () => {
    const frames = framesOf({ stackFrames: [{ id: 1, name: 'poll', line: 3, source: { path: 'sysdeps/poll.c' } }, { id: 2, name: 'main', line: 29, source: { path: 'vscode-remote://127.0.0.1:8080/src/my%20shop/queue.c' } }, { id: 3, name: '_start', line: 0 }] });
    assert.equal(lineOf(frames), '/src/my shop/queue.c:29');
  });
  it('is the program\'s own in Python and Node.js', () => {
    assert.equal(lineOf(stack(['wait', '/usr/lib/python3.11/threading.py', 324], ['worker', '/src/wait.py', 4])), '/src/wait.py:4');
    assert.equal(lineOf(stack(['spawnSync', '<node_internals>/internal/child_process', 1200], ['run', '/src/app.js', 9])), '/src/app.js:9');
  });
  it('may have a function by the name of one of libc\'s, when its source is the program\'s', () => {
    assert.equal(lineOf(stack(['read_orders', '/src/orders.c', 7], ['main', '/src/main.c', 3])), '/src/orders.c:7');
  });
  it('is a function alone where no frame has a line, and nothing where there is none', () => {
    assert.equal(lineOf(stack(['__GI___lll_lock_wait'], ['process_orders'], ['main'])), 'process_orders:0');
    assert.equal(lineOf(stack(['__GI___poll'], ['__libc_start_call_main'], ['_start'])), undefined);
    assert.equal(lineOf(stack(['__GI___lll_lock_wait', 'nptl/lowlevellock.c', 49], ['___lldb_unnamed_symbol37'], ['start_thread', 'nptl/pthread_create.c', 442])), undefined);
    assert.equal(lineOf([]), undefined);
  });
});

describe('what an adapter answers', () => {
  it('may be anything', () => {
    for (const nonsense of [undefined, null, 7, 'x', [], {}, { stackFrames: 'x', threads: { length: 3 }, scopes: [null, 4], result: 9 }, { stackFrames: [{ id: 'x' }, null], threads: [{ id: 1.5 }] }]) {
      assert.deepEqual([framesOf(nonsense), threadsOf(nonsense), localsOf(nonsense), resultOf(nonsense)], [[], [], 0, undefined]);
    }
  });
  it('is read no further than is useful', () => {
    const many = Array.from({ length: 100_000 }, (_, id) => ({ id, name: 'x'.repeat(5_000) }));
    assert.ok(threadsOf({ threads: many }).length <= 10_000 && framesOf({ stackFrames: many }).length <= 100);
    assert.equal(framesOf({ stackFrames: many })[0]?.name.length, 1000);
    assert.equal(resultOf({ result: 'x'.repeat(1 << 20) }), undefined);
  });
});
