// The only import of @vscode/webview-ui-toolkit (archived upstream): replacing it stays a one-file change.
// Its badge, tag and determinate progress ring write style attributes, which the panels' CSP refuses: they are not used.
import { provideVSCodeDesignSystem, vsCodeButton, vsCodeProgressRing } from '@vscode/webview-ui-toolkit';

/** Registers the elements that the panels use: vscode-button, vscode-progress-ring. Call once, before rendering. */
export function registerToolkit(): void {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeProgressRing());
}
