// Descriptors for events, and the signals of a process, in words. Pure.
import type { Epoll, Eventfd, Inotify, Pidfd, Signalfd, Signals, Timerfd } from '../../native-probe/model';
import type { KindWords, TooltipRow } from './kindWords';
import { count, idTail, inMarkdown, unknown, visible } from './presentation';
import { l10n } from '../translation';

export type EventObject = Eventfd | Signalfd | Timerfd | Epoll | Inotify | Pidfd | Signals;

/** Label, summary and tooltip of something that tells events. */
export function eventWords(object: EventObject): KindWords {
  switch (object.kind) {
    case 'eventfd': {
      const { count: counter, semaphore } = object.state;
      return {
        label: l10n.t('eventfd {0}', idTail(object)),
        summary: () => [counter === null ? l10n.t('counter unknown') : l10n.t('counter {0}', counter), ...(semaphore === true ? [l10n.t('semaphore')] : [])],
        rows: () => [[l10n.t('Counter'), counter ?? unknown()], ['EFD_SEMAPHORE', yesNo(semaphore)]],
      };
    }
    case 'signalfd': {
      const { signals } = object.state;
      return {
        label: l10n.t('signalfd {0}', idTail(object)),
        summary: () => [signals === null ? l10n.t('signals unknown') : signalNames(signals)],
        rows: () => [[l10n.t('Signals'), signals === null ? unknown() : inMarkdown(signalNames(signals, 64))]],
      };
    }
    case 'timerfd': {
      const { clock, ticks, value, interval } = object.state;
      return {
        label: l10n.t('timerfd {0}', idTail(object)),
        summary: () => [value === undefined ? l10n.t('disarmed') : l10n.t('expires in {0} s', visible(value)), ...(interval === undefined ? [] : [l10n.t('every {0} s', visible(interval))])],
        rows: () => [[l10n.t('Clock'), clock === null ? unknown() : inMarkdown(clock)], [l10n.t('Expirations not yet read'), ticks ?? unknown()]],
      };
    }
    case 'epoll': {
      const { watches } = object.state;
      const watched = watches === null ? l10n.t('watches unknown') : count(watches.length, l10n.t('watches 1 descriptor'), n => l10n.t('watches {0} descriptors', n));
      return { label: l10n.t('epoll {0}', idTail(object)), summary: () => [watched], rows: () => [[l10n.t('Watches'), watches === null ? unknown() : watches.slice(0, 16).map(it => l10n.t('fd {0}', it.fd)).join(', ') + (watches.length > 16 ? ' …' : '')]] };
    }
    case 'inotify': {
      const { watches } = object.state;
      const watched = watches === null ? l10n.t('watches unknown') : count(watches.length, l10n.t('watches 1 inode'), n => l10n.t('watches {0} inodes', n));
      return { label: l10n.t('inotify {0}', idTail(object)), summary: () => [watched], rows: () => [[l10n.t('Watches'), watches === null ? unknown() : String(watches.length)]] };
    }
    case 'pidfd': {
      const target = pidfdTarget(object);
      return { label: l10n.t('pidfd {0}', idTail(object)), summary: () => [target], rows: () => [[l10n.t('Process'), target]] };
    }
    case 'signal': {
      const { pending, blocked, ignored, caught, queued, limit } = object.state;
      const row = (label: string, names: readonly string[]): TooltipRow => [label, inMarkdown(signalNames(names, 64))];
      return {
        label: l10n.t('PID {0}', /^\d+/.exec(idTail(object))?.[0] ?? idTail(object)),
        summary: () => [
          ...(pending.length === 0 ? [] : [l10n.t('pending: {0}', signalNames(pending))]),
          l10n.t('{0} caught, {1} ignored, {2} blocked', caught.length, ignored.length, blocked.length),
        ],
        rows: () => [
          row(l10n.t('Pending'), pending), row(l10n.t('Caught'), caught), row(l10n.t('Ignored'), ignored), row(l10n.t('Blocked'), blocked),
          [l10n.t('Queued for its user'), l10n.t('{0} of at most {1}', queued, limit)],
        ],
      };
    }
    default: return object satisfies never;
  }
}

/** The process that a pidfd is about, in words. */
export function pidfdTarget({ state: { pid } }: Pidfd): string {
  if (pid === null) return l10n.t('process unknown');
  if (pid === -1) return l10n.t('its process has ended');
  if (pid === 0) return l10n.t('a process outside the PID namespace of the probe');
  return l10n.t('PID {0}', pid);
}

/** Names of signals, at most so many. */
export function signalNames(signals: readonly string[], most = 6): string {
  if (signals.length === 0) return l10n.t('none');
  return visible(signals.slice(0, most).join(' ')) + (signals.length > most ? ` … (${signals.length})` : '');
}

function yesNo(value: boolean | null): string {
  return value === null ? unknown() : value ? l10n.t('yes') : l10n.t('no');
}
