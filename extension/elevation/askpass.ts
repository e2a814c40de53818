// The way of one password: sudo -A runs a script of ours (SUDO_ASKPASS), which asks this end of a private socket, which asks the user.
// Script and socket lie in a fresh directory that only this user (and root) can enter; that is what keeps others out, so that no secret
// token is needed, which any program of this user could read anyway. Each connection is answered at most once, and nothing is kept.
import { accessSync, chmodSync, constants, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import * as path from 'node:path';
import type { Disposable } from '../dispose';
import { l10n } from '../translation';
import { whyUntrusted } from './trustedPath';

/** What sudo (or its PAM modules) wants to know. */
export interface Question {
  /** Its own words; data of another program. */
  readonly prompt: string;
  /** How often the same was asked before: above 0, the answer was wrong. */
  readonly repeated: number;
}
/** Asks the user; undefined when the user would rather not. `signal` fires when nobody waits for the answer any more. */
export type Ask = (question: Question, signal: AbortSignal) => Promise<string | undefined>;

/** What stands before the bytes of an answer: an empty password is an answer too. */
export const answerMark = '+';
/** An expired password is not changed here: PAM's questions for that get no answer, and sudo's own words say why. */
const asksForNewPassword = /\b(new|current|retype|old) .*password/i;
const longestPrompt = 4096;
/** sun_path (unix(7)) with its NUL. */
const longestSocketPath = 107;

export interface AskpassOptions {
  readonly ask: Ask;
  /** How the helper is run: a Node (or VS Code's executable as one) and dist/askpass.js. */
  readonly node: string;
  readonly helper: string;
  /** Directories to put the private one into, the best first. */
  readonly places: readonly string[];
}

/** One end of the conversation, for one start of sudo. */
export class Askpass implements Disposable {
  private readonly server: Server;
  private readonly asked = new Map<string, number>();
  private busy: AbortController | undefined;
  private wasCancelled = false;

  private constructor(private readonly directory: string, private readonly options: AskpassOptions) {
    // Half-open: the helper ends its side when its question is complete.
    this.server = createServer({ allowHalfOpen: true }, socket => { this.serve(socket); });
    this.server.maxConnections = 4;
  }

  /** Makes directory, script and socket. Throws when there is no safe place for them. */
  static async open(options: AskpassOptions): Promise<Askpass> {
    const directory = makePrivateDirectory(options.places, directory => writeScript(directory, options));
    const askpass = new Askpass(directory, options);
    try {
      await new Promise<void>((resolve, reject) => {
        askpass.server.once('error', reject);
        askpass.server.listen(path.join(directory, 's'), resolve);
      });
      chmodSync(path.join(directory, 's'), 0o600);
      return askpass;
    } catch (error) {
      askpass.dispose();
      throw error;
    }
  }

  /** The script for SUDO_ASKPASS. */
  get script(): string { return path.join(this.directory, 'askpass'); }
  /** Whether anything was asked at all: not where a time-stamp or NOPASSWD speaks for the user. */
  get wasAsked(): boolean { return this.asked.size > 0; }
  /** Whether the user rather did not answer. */
  get cancelled(): boolean { return this.wasCancelled; }
  /** Whether the user is being asked now. */
  get asking(): boolean { return this.busy !== undefined; }

  dispose(): void {
    this.busy?.abort();
    this.server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private serve(socket: Socket): void {
    let received = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    // One question at a time: sudo asks no two at once, so a second one is not sudo's.
    if (this.busy) { socket.destroy(); return; }
    const abort = new AbortController();
    this.busy = abort;
    socket.once('close', () => { abort.abort(); if (this.busy === abort) this.busy = undefined; });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length > longestPrompt) socket.destroy();
    });
    socket.once('end', () => void this.answer(received.toString('utf8'), socket, abort.signal));
  }

  private async answer(prompt: string, socket: Socket, signal: AbortSignal): Promise<void> {
    if (asksForNewPassword.test(prompt)) { socket.end(); return; }
    const repeated = this.asked.get(prompt) ?? 0;
    this.asked.set(prompt, repeated + 1);
    try {
      const answer = this.wasCancelled ? undefined : await this.options.ask({ prompt, repeated }, signal);
      if (answer === undefined) this.wasCancelled = true;
      if (!signal.aborted) socket.end(answer === undefined ? '' : `${answerMark}${answer}`);
    } catch {
      // The box could not be shown: for sudo that is no answer, as if it had been cancelled.
      this.wasCancelled = true;
      socket.destroy();
    }
  }
}

/** A new directory that only this user can enter, in the first place where that and running a script is possible. */
function makePrivateDirectory(places: readonly string[], fill: (directory: string) => void): string {
  const reasons: string[] = [];
  for (const place of places) {
    const untrusted = whyUntrusted(place);
    if (untrusted !== undefined) { reasons.push(untrusted); continue; }
    let directory: string | undefined;
    try {
      directory = mkdtempSync(path.join(place, 'ipc-inspector-'));
      const stats = lstatSync(directory);
      if (!stats.isDirectory() || stats.uid !== process.getuid?.() || (stats.mode & 0o077) !== 0) throw new Error(l10n.t('{0} can be entered by others.', directory));
      if (Buffer.byteLength(path.join(directory, 's')) > longestSocketPath) throw new Error(l10n.t('{0} is too long for a socket.', directory));
      fill(directory);
      return directory;
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    }
  }
  throw new Error(l10n.t('There is no safe place for the socket that asks for the password: {0}', reasons.join(' ')));
}

function writeScript(directory: string, { node, helper }: AskpassOptions): void {
  const script = path.join(directory, 'askpass');
  const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  writeFileSync(script, `#!/bin/sh\nELECTRON_RUN_AS_NODE=1 exec ${quoted(node)} ${quoted(helper)} ${quoted(path.join(directory, 's'))} "$1"\n`, { mode: 0o700, flag: 'wx' });
  // On a file system that is mounted noexec this is refused.
  accessSync(script, constants.X_OK);
}
