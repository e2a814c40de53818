// The stack frame that matters to whoever wrote the program: the first outside of the C library and of run-times. Pure.
import type { DapFrame } from './dapAnswers';

/** Where the sources of libraries and run-times lie, as debug information has it; they need not be on this machine. */
const foreignPlaces = [
  /^\/usr\/(?:include|lib|lib64|libexec|share|src)\//, /^\/usr\/local\/(?:include|lib|go)\//, /^\/lib(?:64)?\//,
  /[-/]glibc[-_/]/, /\/(?:nptl|sysdeps|csu)\//, /\/musl[-_/]/, /\/libstdc\+\+/, /^\/rustc\//, /\/rustlib\//,
  /\/lib\/python[\d.]+\//, /\/(?:site|dist)-packages\//, /^<node_internals>/, /^node:/, /\/node_modules\//,
  /\/src\/(?:runtime|sync|syscall|internal|time)\/[^/]+\.(?:go|s)$/, /\/src\/(?:runtime|internal)\//,
];

/** Names that nobody gives a function of a program, wherever its source seems to lie. */
const reservedFunctions = [/^_*(?:GI_+)?_*(?:lll_|pthread_(?:mutex|cond|rwlock|barrier|join)|futex_(?:abs)?wait)/, /^(?:std|core|alloc)::/, /^<.* as (?:std|core|alloc)::/, /^__gthread/];

/** Functions by which a thread gets into the kernel, or into its first function, where only the name is known. */
const foreignFunctions = [
  /^_*(?:GI_+)?_*(?:lll|futex|pthread|new_sem|sem_|start_thread|_start|start$|clone|libc_|syscall|kernel_|poll|p?select|epoll_|read|write|recv|send|accept|connect|open|close|flock|fcntl|msg|semop|semtimedop|mq_|wait|nanosleep|clock_nanosleep|mutex_lock|cond_)/,
  /^(?:std|core|alloc|parking_lot\w*|tokio)::/, /^<.* as (?:std|core|alloc)::/, /^__gthread/, /^(?:runtime|sync|syscall|time|internal\/\S*)\./,
  /^___lldb_unnamed_symbol/, /^\?\?$/, /^0x[0-9a-f]+$/i, /^\[/, /^$/,
];

/** Whether the path of a frame leads to the program's own text, as far as a path can tell. */
function isOwnPlace({ path, sourceReference }: DapFrame): boolean {
  if (path === undefined) return sourceReference !== undefined;
  // A relative path is how packaged libraries were compiled (nptl/pthread_mutex_lock.c); what only the adapter has may be called anything.
  if (!path.startsWith('/') && sourceReference === undefined) return false;
  return !foreignPlaces.some(place => place.test(path));
}

/** The function without what adapters put around it (`queue!take(int)`, `queue.exe!main`). */
export function functionName({ name }: DapFrame): string {
  return name.replace(/^[^\s!`]*[!`]/, '').trim();
}

/**
 * The frame that matters: the innermost one with a line in the program's own sources; where no frame has one, the innermost
 * function that is not the C library's or a run-time's, by its name alone. Undefined when there is neither.
 */
export function frameThatMatters(frames: readonly DapFrame[]): DapFrame | undefined {
  const own = frames.filter(frame => frame.line > 0 && isOwnPlace(frame));
  // A program may call its own function "read_orders" or "poll": with a line in its own source it is its own.
  const named = own.filter(frame => !reservedFunctions.some(reserved => reserved.test(functionName(frame))));
  return named.find(frame => !frame.subtle) ?? own.find(frame => !frame.subtle) ?? own[0]
    ?? frames.find(frame => frame.path === undefined && !frame.subtle && !foreignFunctions.some(foreign => foreign.test(functionName(frame))));
}
