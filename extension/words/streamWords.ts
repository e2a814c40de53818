// Pipes, FIFOs, sockets and pseudoterminals in words. Pure.
import type { Fifo, InetSocket, Known, OtherSocket, Pipe, Pseudoterminal, UnixSocket } from '../../native-probe/model';
import type { KindWords, TooltipRow } from './kindWords';
import { baseName, bytes, bytesExactly, count, idTail, inMarkdown, unknown, visible } from './presentation';
import { l10n } from '../translation';

export type StreamObject = Pipe | Fifo | UnixSocket | InetSocket | OtherSocket | Pseudoterminal;

/** Label, summary and tooltip of a stream. */
export function streamWords(object: StreamObject): KindWords {
  switch (object.kind) {
    case 'pipe': return { label: l10n.t('pipe {0}', idTail(object)), summary: () => fill(object.state), rows: () => fillRows(object.state) };
    case 'fifo': {
      const { path } = object.state;
      return {
        label: path === null ? visible(object.name ?? object.id) : baseName(path),
        summary: () => [...(path === null ? [l10n.t('path unknown')] : [visible(path)]), ...fill(object.state)],
        rows: () => [[l10n.t('Path'), path === null ? unknown() : inMarkdown(path)], ...fillRows(object.state)],
      };
    }
    case 'unix-socket': return unixSocket(object);
    case 'inet-socket': return inetSocket(object);
    case 'other-socket': {
      const { family, protocol } = object.state;
      return {
        label: family === null ? l10n.t('socket {0}', idTail(object)) : l10n.t('{0} socket {1}', visible(family), idTail(object)),
        summary: () => family === null ? [l10n.t('family unknown')] : protocol === undefined ? [] : [visible(protocol)],
        rows: () => [[l10n.t('Family'), family === null ? unknown() : inMarkdown(family)], ...(protocol === undefined ? [] : [[l10n.t('Protocol'), inMarkdown(protocol)] satisfies TooltipRow])],
      };
    }
    case 'pseudoterminal': {
      const { index, foreground } = object.state;
      return {
        label: `/dev/pts/${index}`,
        summary: () => foreground === undefined ? [] : [l10n.t('foreground process group {0}', foreground)],
        rows: () => [[l10n.t('Foreground process group'), foreground === undefined ? l10n.t('none') : String(foreground)]],
      };
    }
    default: return object satisfies never;
  }
}

/** How full it is, where that was asked for: looking takes a borrowed descriptor, so a snapshot does not tell. */
function fill({ unread, capacity }: Pipe['state']): string[] {
  return unread === null ? [] : [capacity === null ? l10n.t('{0} unread', bytes(unread)) : l10n.t('{0} of {1} unread', bytes(unread), bytes(capacity))];
}

function fillRows({ unread, capacity }: Pipe['state']): TooltipRow[] {
  if (unread === null && capacity === null) return [[l10n.t('Unread, capacity'), l10n.t('not looked at: only the inspector does, on request')]];
  return [[l10n.t('Unread'), bytesExactly(unread)], [l10n.t('Capacity'), bytesExactly(capacity)]];
}

function unixSocket(object: UnixSocket): KindWords {
  const { type, state, path, rqueue, wqueue, backlog, descriptorsInFlight } = object.state;
  return {
    label: path === undefined || path === '' ? l10n.t('socket {0}', idTail(object)) : visible(path),
    summary: () => [
      type === null ? l10n.t('type unknown') : socketType(type),
      ...(state === null || state === 'connected' ? [] : [socketState(state)]),
      ...(state === 'listening' ? pending(rqueue, backlog) : queues(rqueue, wqueue)),
      ...inFlight(descriptorsInFlight),
    ],
    rows: () => [
      [l10n.t('Type'), type === null ? unknown() : socketType(type)], [l10n.t('State'), state === null ? unknown() : socketState(state)],
      ...(path === undefined ? [] : [[l10n.t('Name'), inMarkdown(path)] satisfies TooltipRow]),
      ...(state === 'listening'
        ? [[l10n.t('Not yet accepted'), [rqueue ?? unknown(), ...(backlog === undefined ? [] : [l10n.t('of at most {0}', backlog)])].join(' ')] satisfies TooltipRow]
        : [[l10n.t('Waiting to be read, sent'), `${bytes(rqueue)}, ${bytes(wqueue)}`] satisfies TooltipRow]),
      ...(descriptorsInFlight === undefined ? [] : [[l10n.t('Descriptors in flight'), String(descriptorsInFlight)] satisfies TooltipRow]),
    ],
  };
}

function inetSocket(object: InetSocket): KindWords {
  const { protocol, state, local, remote, rqueue, wqueue, backlog } = object.state;
  return {
    label: l10n.t('{0} {1}', visible(protocol), endpoint(local)),
    summary: () => [
      visible(state), ...(remote === undefined ? [] : [`→ ${endpoint(remote)}`]),
      ...(isListening(state) ? pending(rqueue, backlog) : queues(rqueue, wqueue)),
    ],
    rows: () => [
      [l10n.t('Protocol'), inMarkdown(protocol)], [l10n.t('State'), inMarkdown(state)], [l10n.t('Local address'), inMarkdown(endpoint(local))],
      ...(remote === undefined ? [] : [[l10n.t('Remote address'), inMarkdown(endpoint(remote))] satisfies TooltipRow]),
      [l10n.t('Waiting to be read, sent'), `${bytes(rqueue)}, ${bytes(wqueue)}`],
    ],
  };
}

/** Whether a state in the words of ss(8) is that of a listener. */
export function isListening(state: string): boolean {
  return state === 'listen' || state === 'listening';
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function endpoint({ address, port }: InetSocket['state']['local']): string {
  return visible(address.includes(':') && !address.startsWith('[') ? `[${address}]:${port}` : `${address}:${port}`);
}

/** The type of a UNIX domain socket, in words. */
export function socketType(type: NonNullable<UnixSocket['state']['type']>): string {
  switch (type) {
    case 'stream': return l10n.t('stream');
    case 'datagram': return l10n.t('datagram');
    case 'seqpacket': return l10n.t('seqpacket');
    default: return type satisfies never;
  }
}

/** The state of a UNIX domain socket, in words. */
export function socketState(state: NonNullable<UnixSocket['state']['state']>): string {
  switch (state) {
    case 'unconnected': return l10n.t('unconnected');
    case 'connecting': return l10n.t('connecting');
    case 'connected': return l10n.t('connected');
    case 'listening': return l10n.t('listening');
    case 'closing': return l10n.t('closing');
    default: return state satisfies never;
  }
}

function queues(rqueue: Known<string>, wqueue: Known<string>): string[] {
  return [
    ...(rqueue === null || rqueue === '0' ? [] : [l10n.t('{0} to be read', bytes(rqueue))]),
    ...(wqueue === null || wqueue === '0' ? [] : [l10n.t('{0} to be sent', bytes(wqueue))]),
  ];
}

function pending(rqueue: Known<string>, backlog: number | undefined): string[] {
  if (rqueue === null || rqueue === '0') return [];
  return [backlog === undefined ? l10n.t('{0} not yet accepted', rqueue) : l10n.t('{0} of {1} not yet accepted', rqueue, backlog)];
}

function inFlight(descriptors: number | undefined): string[] {
  return descriptors === undefined || descriptors === 0 ? [] : [count(descriptors, l10n.t('1 descriptor in flight'), n => l10n.t('{0} descriptors in flight', n))];
}
