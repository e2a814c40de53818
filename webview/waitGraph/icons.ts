// The codicons of a wait graph as paths, so that an exported picture needs no font. Taken from the package when this is bundled.
import account from '@vscode/codicons/src/icons/account.svg';
import arrowBoth from '@vscode/codicons/src/icons/arrow-both.svg';
import arrowSwap from '@vscode/codicons/src/icons/arrow-swap.svg';
import bell from '@vscode/codicons/src/icons/bell.svg';
import bellDot from '@vscode/codicons/src/icons/bell-dot.svg';
import broadcast from '@vscode/codicons/src/icons/broadcast.svg';
import circleSlash from '@vscode/codicons/src/icons/circle-slash.svg';
import circuitBoard from '@vscode/codicons/src/icons/circuit-board.svg';
import debugPause from '@vscode/codicons/src/icons/debug-pause.svg';
import ellipsis from '@vscode/codicons/src/icons/ellipsis.svg';
import eye from '@vscode/codicons/src/icons/eye.svg';
import eyeClosed from '@vscode/codicons/src/icons/eye-closed.svg';
import file from '@vscode/codicons/src/icons/file.svg';
import fileBinary from '@vscode/codicons/src/icons/file-binary.svg';
import fileSymlink from '@vscode/codicons/src/icons/file-symlink-file.svg';
import globe from '@vscode/codicons/src/icons/globe.svg';
import inbox from '@vscode/codicons/src/icons/inbox.svg';
import key from '@vscode/codicons/src/icons/key.svg';
import layers from '@vscode/codicons/src/icons/layers.svg';
import listOrdered from '@vscode/codicons/src/icons/list-ordered.svg';
import listSelection from '@vscode/codicons/src/icons/list-selection.svg';
import lock from '@vscode/codicons/src/icons/lock.svg';
import mail from '@vscode/codicons/src/icons/mail.svg';
import map from '@vscode/codicons/src/icons/map.svg';
import organization from '@vscode/codicons/src/icons/organization.svg';
import person from '@vscode/codicons/src/icons/person.svg';
import plug from '@vscode/codicons/src/icons/plug.svg';
import radioTower from '@vscode/codicons/src/icons/radio-tower.svg';
import serverProcess from '@vscode/codicons/src/icons/server-process.svg';
import splitHorizontal from '@vscode/codicons/src/icons/split-horizontal.svg';
import symbolMisc from '@vscode/codicons/src/icons/symbol-misc.svg';
import symbolNumeric from '@vscode/codicons/src/icons/symbol-numeric.svg';
import symbolStructure from '@vscode/codicons/src/icons/symbol-structure.svg';
import terminal from '@vscode/codicons/src/icons/terminal.svg';
import unlock from '@vscode/codicons/src/icons/unlock.svg';
import watch from '@vscode/codicons/src/icons/watch.svg';
import zap from '@vscode/codicons/src/icons/symbol-event.svg';
import thread from '@vscode/codicons/src/icons/gear.svg';

const files: Readonly<Record<string, string>> = {
  account, 'arrow-both': arrowBoth, 'arrow-swap': arrowSwap, bell, 'bell-dot': bellDot, broadcast, 'circle-slash': circleSlash, 'circuit-board': circuitBoard, clock: watch, 'debug-pause': debugPause, ellipsis, eye,
  'eye-closed': eyeClosed, file, 'file-binary': fileBinary, 'file-symlink-file': fileSymlink, globe, inbox, key, layers, 'list-ordered': listOrdered, 'list-selection': listSelection, lock, mail, map,
  organization, person, plug, 'radio-tower': radioTower, 'server-process': serverProcess, 'split-horizontal': splitHorizontal, 'symbol-misc': symbolMisc, 'symbol-number': symbolNumeric, 'symbol-numeric': symbolNumeric, 'symbol-structure': symbolStructure,
  terminal, unlock, watch, zap, gear: thread,
};

/** The paths of a codicon in a square of 16 by 16; those of `symbol-misc` for a name that has none. */
export function iconPaths(name: string): readonly string[] {
  return [...(files[name] ?? symbolMisc).matchAll(/\sd="([^"]+)"/g)].map(([, path]) => path ?? '');
}
