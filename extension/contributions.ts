// Every id that package.json and the code share. test/unit/contributions.test.ts holds them against each other, both ways.

/** Commands that package.json contributes. */
export const commandIds = {
  refresh: 'ipcInspector.refresh',
  filter: 'ipcInspector.filter',
  clearFilter: 'ipcInspector.clearFilter',
  openInspector: 'ipcInspector.openInspector',
  remove: 'ipcInspector.remove',
  removeStale: 'ipcInspector.removeStale',
  copyId: 'ipcInspector.copyId',
  copyName: 'ipcInspector.copyName',
  copyJson: 'ipcInspector.copyJson',
  followProcess: 'ipcInspector.followProcess',
  followThisProcess: 'ipcInspector.followThisProcess',
  stopFollowing: 'ipcInspector.stopFollowing',
  chooseDebuggee: 'ipcInspector.chooseDebuggee',
  showAllSessions: 'ipcInspector.showAllSessions',
  showActiveSession: 'ipcInspector.showActiveSession',
  chooseKinds: 'ipcInspector.chooseKinds',
  showAllKinds: 'ipcInspector.showAllKinds',
  showChosenKinds: 'ipcInspector.showChosenKinds',
  explainUnseen: 'ipcInspector.explainUnseen',
  explainUnseenAsText: 'ipcInspector.explainUnseenAsText',
  copyMountCommand: 'ipcInspector.copyMountCommand',
  copyPtraceCommand: 'ipcInspector.copyPtraceCommand',
  findProcess: 'ipcInspector.findProcess',
  showAllProcesses: 'ipcInspector.showAllProcesses',
  hideProcessesWithoutIpc: 'ipcInspector.hideProcessesWithoutIpc',
  attachDebugger: 'ipcInspector.attachDebugger',
  copyProcess: 'ipcInspector.copyProcess',
  copyProcessJson: 'ipcInspector.copyProcessJson',
  showIdleWaits: 'ipcInspector.showIdleWaits',
  hideIdleWaits: 'ipcInspector.hideIdleWaits',
  showChain: 'ipcInspector.showChain',
  goToSource: 'ipcInspector.goToSource',
  switchToThread: 'ipcInspector.switchToThread',
  pauseForLines: 'ipcInspector.pauseForLines',
  showWaitGraph: 'ipcInspector.showWaitGraph',
  showDebuggeeWaitGraph: 'ipcInspector.showDebuggeeWaitGraph',
  showInWaitGraph: 'ipcInspector.showInWaitGraph',
  revealInProcesses: 'ipcInspector.revealInProcesses',
  showLeaks: 'ipcInspector.showLeaks',
  removeLeaks: 'ipcInspector.removeLeaks',
  dismissLeaks: 'ipcInspector.dismissLeaks',
  lookAsAdministrator: 'ipcInspector.lookAsAdministrator',
  lookAsYourself: 'ipcInspector.lookAsYourself',
  openMemory: 'ipcInspector.openMemory',
  goToOffset: 'ipcInspector.goToOffset',
  searchMemory: 'ipcInspector.searchMemory',
  refreshMemory: 'ipcInspector.refreshMemory',
  saveMemory: 'ipcInspector.saveMemory',
  openMemoryAsFile: 'ipcInspector.openMemoryAsFile',
  getStarted: 'ipcInspector.getStarted',
  showLog: 'ipcInspector.showLog',
  retry: 'ipcInspector.retry',
} as const;
export type CommandId = typeof commandIds[keyof typeof commandIds];

/** The walkthrough, as VS Code names it: publisher, extension, and its id in package.json. */
export const walkthroughId = 'ipc-inspector.ipc-inspector#getStarted';

export const containerIds = { ipc: 'ipcInspector' } as const;

export const viewIds = {
  objects: 'ipcInspector.objects',
  processes: 'ipcInspector.processes',
  debuggee: 'ipcInspector.debuggee',
  waits: 'ipcInspector.waits',
  allWaits: 'ipcInspector.allWaits',
} as const;
export type ViewId = typeof viewIds[keyof typeof viewIds];

/** Tools for language models. */
export const toolNames = { listObjects: 'ipcInspector_listObjects', explainWaits: 'ipcInspector_explainWaits', listStale: 'ipcInspector_listStale', listLeaks: 'ipcInspector_listLeaks' } as const;

export const settingSection = 'ipcInspector';
/** Settings, without the section. */
export const settingIds = { refreshInterval: 'refreshInterval', minorKinds: 'minorKinds', deadlockNotifications: 'deadlockNotifications', leakReport: 'leakReport', followChildren: 'followChildren', administratorTimeout: 'administratorTimeout', probeExecutable: 'probeExecutable' } as const;
/** The least `refreshInterval` above 0, in milliseconds. */
export const leastRefreshInterval = 250;

/** Context keys that `when` clauses read. */
export const contextKeys = {
  /** `unsupported` (not Linux), `starting`, `ready`, `failed`. */
  probe: 'ipcInspector.probe',
  /** IPC Objects shows only what matches a text. */
  filtered: 'ipcInspector.filtered',
  /** IPC Objects lists the minor kinds too. */
  allKinds: 'ipcInspector.allKinds',
  /** Processes lists those without IPC too. */
  allProcesses: 'ipcInspector.allProcesses',
  /** The views of waits list idle threads too. */
  idleWaits: 'ipcInspector.idleWaits',
  /** `yes` while the probe has more rights than the user, `asking` while they are being asked for. */
  administrator: 'ipcInspector.administrator',
  /** There is a report of what the last debug session left behind. */
  leaks: 'ipcInspector.leaks',
  /** `none`, `session`, `unidentified` (a session whose process is not known), `elsewhere` (on another machine), `process` (chosen by hand). */
  focus: 'ipcInspector.focus',
  /** Several debug sessions: `active` while the debuggee's views are about the selected one, `all`; else `one`. */
  sessions: 'ipcInspector.sessions',
} as const;
export interface ContextValues {
  'ipcInspector.probe': 'unsupported' | 'starting' | 'ready' | 'failed';
  'ipcInspector.filtered': boolean;
  'ipcInspector.allKinds': boolean;
  'ipcInspector.allProcesses': boolean;
  'ipcInspector.idleWaits': boolean;
  'ipcInspector.administrator': 'no' | 'asking' | 'yes';
  'ipcInspector.leaks': boolean;
  'ipcInspector.focus': 'none' | 'session' | 'unidentified' | 'elsewhere' | 'process';
  'ipcInspector.sessions': 'one' | 'active' | 'all';
}

/** Parts of a tree item's `viewItem`, joined by blanks; `when` clauses match them as words. */
export const itemMarks = { object: 'object', removable: 'removable', memory: 'memory', named: 'named', process: 'process', unseen: 'unseen', chain: 'chain', finding: 'finding', idle: 'idle', line: 'line', thread: 'thread', leaks: 'leaks', graph: 'graph' } as const;
