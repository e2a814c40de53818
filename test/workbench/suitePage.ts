// A page for the tests of one suite: opened before them, looked at when one fails, closed after them.
import type { PreparedWorkbench } from './page';
import { WorkbenchPage } from './page';

/**
 * Call it in a `describe`, after the `before` of what must be there when the page opens; what is done on the page first comes in a `before` behind it.
 * @param opened takes the page
 * @param options.debugging the tests start debug sessions: ended after each
 */
export function onPage(prepared: PreparedWorkbench, opened: (workbench: WorkbenchPage) => void, { debugging = false } = {}): void {
  let workbench: WorkbenchPage | undefined;
  before(async () => {
    workbench = await WorkbenchPage.open(prepared);
    opened(workbench);
  });
  afterEach(async function () {
    await workbench?.keepOnFailure(this.currentTest, prepared);
    if (debugging) await workbench?.stopDebugging();
  });
  after(() => workbench?.close());
}
