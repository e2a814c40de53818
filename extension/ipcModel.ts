// The single truth for all views and panels: the current snapshots, kept up to date by deltas, asked for only while
// something visible needs them. Knows nothing of VS Code at run time.
import { CancellationTokenSource, Emitter } from 'vscode-jsonrpc/node';
import type { CollectedKind, Snapshot } from '../native-probe/model';
import type { SnapshotDelta, SnapshotParams, ToldProcess } from '../native-probe/protocol';
import { applyDelta } from '../native-probe/analysis/diff';
import { onDispose } from './dispose';
import type { Disposable } from './dispose';
import { ProbeUnavailable } from './probeClient';
import type { ProbeClient, ProbeLog } from './probeClient';
import { indexOf } from './snapshotIndex';

/** What a view needs to know. Subscriptions with the same query share one snapshot. */
export interface Query {
  readonly kinds?: readonly CollectedKind[];
  /** Only these processes and whoever shares an object with them. */
  readonly pids?: readonly number[];
  readonly waits?: boolean;
}

/** A place where snapshots arrive. It costs nothing while it is not active. */
export interface Subscription extends Disposable {
  /** The newest one for its query; undefined before the first arrives. */
  readonly snapshot: Snapshot | undefined;
  /** Why the last refresh gave none; undefined when it did. */
  readonly error: string | undefined;
  /** Fires when the snapshot or the error is another than before; never when nothing but the time has changed. */
  readonly onDidChange: (listener: () => void) => Disposable;
  /** Whether it is visible to somebody. Becoming active refreshes. */
  setActive(active: boolean): void;
  /** What to ask from now on. */
  setQuery(query: Query): void;
  /** Asks now; resolves when the answer is in place (or the error is). */
  refresh(): Promise<void>;
}

interface Channel {
  readonly key: string;
  readonly query: Query;
  readonly subscribers: Set<Subscriber>;
  serial: number | undefined;
  snapshot: Snapshot | undefined;
  error: string | undefined;
  busy: { readonly done: Promise<void>; readonly cancel: CancellationTokenSource } | undefined;
}
interface Subscriber { channel: Channel; active: boolean; readonly changed: Emitter<void> }

export interface IpcModelOptions {
  readonly client: Pick<ProbeClient, 'request' | 'onDidChangeState'>;
  readonly log: ProbeLog;
  /** Milliseconds between refreshes; 0 for only on demand. Read before each wait. */
  readonly interval: () => number;
  /** What is added to a snapshot before anybody sees it; the same for the same snapshot until `seeAgain`. */
  readonly see?: (snapshot: Snapshot) => Snapshot;
  /** What the probe is told with questions about waits; the same array until it changes. */
  readonly told?: () => readonly ToldProcess[];
}

export class IpcModel implements Disposable {
  private readonly channels = new Map<string, Channel>();
  private readonly stateSubscription: Disposable;
  private timer: NodeJS.Timeout | undefined;
  private disposed = false;

  private readonly see: (snapshot: Snapshot) => Snapshot;

  constructor(private readonly options: IpcModelOptions) {
    this.see = options.see ?? (snapshot => snapshot);
    this.stateSubscription = options.client.onDidChangeState(state => {
      // Serials are those of one probe: another one would answer them with a delta to something else.
      if (state.kind !== 'ready') for (const channel of this.channels.values()) channel.serial = undefined;
      else void this.refresh();
    });
  }

  /** Begins inactive: nothing is asked until `setActive(true)` or `refresh()`. */
  subscribe(query: Query): Subscription {
    const subscriber: Subscriber = { channel: this.channelFor(query), active: false, changed: new Emitter<void>() };
    subscriber.channel.subscribers.add(subscriber);
    const { see } = this;
    const ended = onDispose(() => {
      this.leave(subscriber);
      subscriber.changed.dispose();
    });
    return {
      get snapshot() { return subscriber.channel.snapshot && see(subscriber.channel.snapshot); },
      get error() { return subscriber.channel.error; },
      onDidChange: listener => subscriber.changed.event(listener),
      setActive: active => {
        if (subscriber.active === active) return;
        subscriber.active = active;
        if (active) void this.refreshChannel(subscriber.channel);
        else this.cancelUnwanted(subscriber.channel);
        this.schedule();
      },
      setQuery: next => {
        if (keyOf(next) === subscriber.channel.key) return;
        this.leave(subscriber);
        subscriber.channel = this.channelFor(next);
        subscriber.channel.subscribers.add(subscriber);
        subscriber.changed.fire();
        if (subscriber.active) void this.refreshChannel(subscriber.channel);
        this.schedule();
      },
      refresh: () => this.refreshChannel(subscriber.channel),
      dispose: () => ended.dispose(),
    };
  }

  /** Asks again for everything that is visible. */
  async refresh(): Promise<void> {
    await Promise.all(this.wanted().map(channel => this.refreshChannel(channel)));
  }

  /** The newest snapshot that knows an object, whoever asked for it. */
  snapshotWith(objectId: string): Snapshot | undefined {
    const found = [...this.channels.values()].flatMap(it => it.snapshot && indexOf(it.snapshot).objects.has(objectId) ? it.snapshot : [])
      .sort((a, b) => a.takenAt < b.takenAt ? 1 : -1)[0];
    return found && this.see(found);
  }

  /** To be called when more is known of the same snapshots. */
  seeAgain(): void {
    for (const channel of this.channels.values()) if (channel.snapshot) this.changed(channel);
  }

  /** To be called when the interval changed. */
  reschedule(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.schedule();
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.timer);
    this.stateSubscription.dispose();
    for (const channel of this.channels.values()) channel.busy?.cancel.cancel();
    this.channels.clear();
  }

  private wanted(): Channel[] {
    return [...this.channels.values()].filter(channel => [...channel.subscribers].some(it => it.active));
  }

  private schedule(): void {
    if (this.disposed || this.wanted().length === 0) {
      clearTimeout(this.timer);
      this.timer = undefined;
      return;
    }
    const interval = this.options.interval();
    if (interval === 0 || this.timer) return;
    this.timer = setTimeout(() => {
      const started = performance.now();
      void this.refresh().finally(() => {
        this.timer = undefined;
        // A machine on which a snapshot takes longer than the interval is given as long a rest.
        const rest = performance.now() - started - interval;
        if (rest > 0 && !this.disposed) this.timer = setTimeout(() => { this.timer = undefined; this.schedule(); }, rest);
        else this.schedule();
      });
    }, interval);
  }

  private channelFor(query: Query): Channel {
    const key = keyOf(query);
    let channel = this.channels.get(key);
    if (!channel) {
      channel = { key, query, subscribers: new Set(), serial: undefined, snapshot: undefined, error: undefined, busy: undefined };
      this.channels.set(key, channel);
    }
    return channel;
  }

  private leave(subscriber: Subscriber): void {
    const { channel } = subscriber;
    channel.subscribers.delete(subscriber);
    this.cancelUnwanted(channel);
    if (channel.subscribers.size === 0) this.channels.delete(channel.key);
    this.schedule();
  }

  private cancelUnwanted(channel: Channel): void {
    if (![...channel.subscribers].some(it => it.active)) channel.busy?.cancel.cancel();
  }

  private refreshChannel(channel: Channel): Promise<void> {
    if (channel.busy && !channel.busy.cancel.token.isCancellationRequested) return channel.busy.done;
    const cancel = new CancellationTokenSource();
    const done = this.ask(channel, cancel).finally(() => {
      if (channel.busy?.cancel === cancel) channel.busy = undefined;
      cancel.dispose();
    });
    channel.busy = { done, cancel };
    return done;
  }

  private async ask(channel: Channel, cancel: CancellationTokenSource): Promise<void> {
    try {
      const { snapshot: before, serial: since } = channel;
      const told = this.toldFor(channel);
      let result = await this.options.client.request('snapshot', paramsOf(channel, since, told), cancel.token);
      if (told !== this.toldFor(channel) && !cancel.token.isCancellationRequested) {
        // The program went on while the probe looked: what was told of it may have been true no longer.
        result = await this.options.client.request('snapshot', paramsOf(channel, undefined, nothingTold), cancel.token);
      }
      if ('delta' in result && (result.since !== channel.serial || channel.snapshot === undefined)) {
        // Somebody refreshed or the probe restarted in between: the delta is to a snapshot that is not here.
        result = await this.options.client.request('snapshot', paramsOf(channel, undefined, nothingTold), cancel.token);
      }
      if (cancel.token.isCancellationRequested) return;
      channel.serial = result.serial;
      const hadError = channel.error !== undefined;
      channel.error = undefined;
      if ('snapshot' in result) {
        channel.snapshot = result.snapshot;
        this.changed(channel);
      } else if (before !== undefined) {
        const still = isEmpty(result.delta) && JSON.stringify(before.findings) === JSON.stringify(result.delta.findings);
        if (!still) channel.snapshot = applyDelta(before, result.delta);
        if (!still || hadError) this.changed(channel);
      }
    } catch (error) {
      if (cancel.token.isCancellationRequested || this.disposed) return;
      channel.serial = undefined;
      // The probe's own state tells of a probe that is not there; it is restarted and the views ask again.
      const message = error instanceof Error ? error.message : String(error);
      if (!(error instanceof ProbeUnavailable)) this.options.log.error(`cannot take a snapshot: ${message}`);
      if (channel.error === message) return;
      channel.error = message;
      this.changed(channel);
    }
  }

  private toldFor({ query }: Channel): readonly ToldProcess[] {
    return query.waits === true ? this.options.told?.() ?? nothingTold : nothingTold;
  }

  private changed(channel: Channel): void {
    for (const subscriber of [...channel.subscribers]) subscriber.changed.fire();
  }
}

const nothingTold: readonly ToldProcess[] = [];

function keyOf({ kinds, pids, waits }: Query): string {
  return JSON.stringify([kinds ? [...kinds].sort() : null, pids ? [...pids].sort((a, b) => a - b) : null, waits ?? false]);
}

function paramsOf({ query }: Channel, since: number | undefined, told: readonly ToldProcess[]): SnapshotParams {
  return { ...query, ...(told.length === 0 ? {} : { told }), ...(since === undefined ? {} : { since }) };
}

function isEmpty(delta: SnapshotDelta): boolean {
  return [delta.processes, delta.objects, delta.handles, delta.waits, delta.gaps].every(it => it.put.length === 0 && it.gone.length === 0);
}
