// "Attach Debugger to…": whom, with which debugger, and, before anything starts, exactly how and at what price.
import { open } from 'node:fs/promises';
import * as vscode from 'vscode';
import { attachOffers, attachWarnings, debugTypesOf, inspectorOfAnother, otherTracer } from './attachOffers';
import type { AttachOffer } from './attachOffers';
import { attachTargets } from './attachTargets';
import type { AttachSubject } from './attachTargets';
import type { CommandHost } from '../commands';
import { runtimeOf } from './executables';
import { inQuickPick, processName } from '../words/presentation';
import { indexOf } from '../snapshotIndex';
import type { SnapshotIndex } from '../snapshotIndex';
import { l10n } from '../translation';
import type { Process } from '../../native-probe/model';

/** So many processes are asked about: whom an object of thousands concerns is no question for a list. */
const mostAsked = 64;

/** Asks whom to attach to, where several come into question, with what, and whether to start; then attaches. */
export async function attachDebugger(subject: AttachSubject, host: Pick<CommandHost, 'client' | 'model'>): Promise<void> {
  const index = await look(subject, host.client, host.model);
  const targets = attachTargets(subject, index).filter(it => it.pid !== process.pid);
  const target = targets.length > 1 ? await chooseTarget(targets, index) : targets[0];
  if (!target) {
    if (targets.length > 0) return;
    const [pid] = subject.pids ?? [];
    if (pid === process.pid) throw new Error(l10n.t('This is the extension host itself: stopping it would stop the debugger too.'));
    throw pid === undefined ? new Error(l10n.t('No process that can be seen has a part in this now.')) : gone(pid);
  }
  const found = index.processes.get(target.pid);
  if (!found) return;
  const types = new Set(vscode.extensions.all.flatMap(extension => debugTypesOf(extension.packageJSON)));
  const offers = attachOffers(found, runtimeOf(found, await headOf(found)), types);
  if (offers.length === 0) throw new Error(l10n.t('No installed debugger can attach to {0} (PID {1}). Debuggers for native code are, for example, CodeLLDB, LLDB DAP and C/C++.', found.comm, found.pid));
  const offer = offers.length > 1 ? await chooseDebugger(offers, found) : offers[0];
  if (offer) await start(offer, found, index, host);
}

/** What is known now of the processes in question, with their waits. */
async function look({ pids = [], objectIds = [], threads = [] }: AttachSubject, client: CommandHost['client'], model: CommandHost['model']): Promise<SnapshotIndex> {
  const about = new Set([...pids, ...threads.map(it => it.pid)]);
  for (const id of objectIds) {
    const known = model.snapshotWith(id);
    if (known) for (const { pid } of [...indexOf(known).handlesOf(id), ...indexOf(known).waitsOn(id)]) about.add(pid);
  }
  const result = await client.request('snapshot', { pids: [...about].slice(0, mostAsked), waits: true });
  if (!('snapshot' in result)) throw new Error('the probe answered a delta that was not asked for');
  return indexOf(result.snapshot);
}

/** The beginning of the executable, also of one that was removed or lies in a container; undefined where it cannot be read. */
async function headOf({ pid }: Process): Promise<Uint8Array | undefined> {
  try {
    const file = await open(`/proc/${pid}/exe`, 'r');
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(16_384), 0, 16_384, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return undefined; // Another user's process, or it has ended: it is then taken for native code.
  }
}

async function chooseTarget(targets: ReturnType<typeof attachTargets>, index: SnapshotIndex): Promise<(typeof targets)[number] | undefined> {
  const items = targets.map(target => {
    const process = index.processes.get(target.pid);
    return {
      label: inQuickPick(processName(process, target.pid)), description: inQuickPick([l10n.t('PID {0}', target.pid), target.does].filter(it => it !== '').join(' · ')),
      ...(process?.cmdline == null ? {} : { detail: inQuickPick(process.cmdline.join(' ')) }), target,
    };
  });
  return (await vscode.window.showQuickPick(items, { title: l10n.t('Attach a Debugger to Whom?'), matchOnDescription: true, matchOnDetail: true, placeHolder: l10n.t('Who holds it comes first, then who could end the wait, then who waits') }))?.target;
}

async function chooseDebugger(offers: readonly AttachOffer[], { comm, pid }: Process): Promise<AttachOffer | undefined> {
  const items = offers.map(offer => ({ label: offer.label, description: offer.type, offer }));
  return (await vscode.window.showQuickPick(items, { title: l10n.t('Attach a Debugger to {0} (PID {1})', inQuickPick(comm), pid) }))?.offer;
}

async function start(offer: AttachOffer, target: Process, index: SnapshotIndex, { client, model }: Pick<CommandHost, 'client' | 'model'>): Promise<void> {
  const { pid } = target;
  const tracer = otherTracer(offer, target, index);
  if (tracer !== undefined) throw new Error(l10n.t('{0} cannot be attached to process {1}: {2} traces it already, and only one can.', offer.label, pid, tracer));
  if (offer.way === 'signal') await refuseWrongProgram(pid, client);
  const json = JSON.stringify(offer.configuration, undefined, 2);
  const [attach, copy] = [l10n.t('Attach'), l10n.t('Copy Configuration')];
  const chosen = await vscode.window.showWarningMessage(
    l10n.t('Attach {0} to {1} (PID {2})?', offer.label, processName(target, pid), pid),
    { modal: true, detail: [...attachWarnings(offer, target, index, process.getuid?.()), '', l10n.t('The launch configuration:'), json].join('\n') }, attach, copy);
  if (chosen === copy) {
    await vscode.env.clipboard.writeText(json);
    vscode.window.setStatusBarMessage(l10n.t('The configuration is in the clipboard. It fits into launch.json.'), 5_000);
  } else if (chosen === attach) {
    // The question may have stood for long: the PID may be another's by now.
    const now = await look({ pids: [pid] }, client, model);
    if (now.processes.get(pid)?.startTime !== target.startTime) throw gone(pid);
    if (!await vscode.debug.startDebugging(vscode.workspace.workspaceFolders?.[0], offer.configuration)) throw new Error(l10n.t('{0} could not be attached to process {1}.', offer.label, pid));
  }
}

function gone(pid: number): Error {
  return new Error(l10n.t('Process {0} has ended, or cannot be seen.', pid));
}

/** Node.js has one port for debuggers: where another process has it, the debugger would attach to that one. */
async function refuseWrongProgram(pid: number, client: CommandHost['client']): Promise<void> {
  const result = await client.request('snapshot', { kinds: ['inet-socket'] });
  if (!('snapshot' in result)) return;
  const index = indexOf(result.snapshot);
  const other = inspectorOfAnother(pid, index);
  if (other !== undefined) throw new Error(l10n.t('Process {0} cannot be debugged now: the port on which Node.js lets debuggers in is taken by {1} (PID {2}).', pid, processName(index.processes.get(other), other), other));
}
