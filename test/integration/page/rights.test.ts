// The rights to look, at the page of a VS Code whose server is an ordinary user's: real sudo, a real password, root's real processes.
import * as assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { skip } from '../../skip';
import { preparedWorkbench, WorkbenchPage } from '../../workbench/page';
import type { OrdinaryWorkbench } from '../../workbench/page';

/** Takes its first file's lock and, when it is told to, the second's. */
const crosswise = 'open($a,"+<",shift)||die;open($b,"+<",shift)||die;flock($a,2)||die;$|=1;print "held\\n";<STDIN>;flock($b,2);sleep 600';

describe('Look as Administrator', function () {
  this.timeout(120_000);
  const prepared = preparedWorkbench();
  const shm = `/dev/shm/ipc-inspector-rights-${process.pid}`;
  const actors: ChildProcess[] = [];
  let ordinary: OrdinaryWorkbench, workbench: WorkbenchPage, folder = '', semid = '';

  before(async function () {
    if ('why' in prepared.ordinary) skip(this, prepared.ordinary.why);
    if (spawnSync('perl', ['-v']).status !== 0) skip(this, 'perl is not installed');
    ordinary = prepared.ordinary;
    folder = mkdtempSync(join(tmpdir(), 'ipc-inspector-locks-'));
    for (const file of [join(folder, 'a'), join(folder, 'b'), shm]) writeFileSync(file, '', { mode: 0o600 });
    semid = /\d+/.exec(execFileSync('ipcmk', ['-S', '2', '-p', '0600'], { encoding: 'utf8' }))?.[0] ?? assert.fail('ipcmk tells no id');
    const holding = [['a', 'b'], ['b', 'a']].map(async ([own = '', other = '']) => {
      const actor = spawn('bash', ['-c', `exec 9<>${shm}; exec perl -e "$0" "$@"`, crosswise, join(folder, own), join(folder, other)], { stdio: ['pipe', 'pipe', 'inherit'] });
      actors.push(actor);
      await once(actor.stdout, 'data');
    });
    await Promise.all(holding);
    for (const actor of actors) actor.stdin?.write('\n');
    workbench = await WorkbenchPage.open({ ...prepared, address: ordinary.address });
  });
  afterEach(async function () {
    await workbench?.keepOnFailure(this.currentTest, prepared);
  });
  after(async () => {
    await workbench?.close();
    for (const actor of actors) {
      actor.kill('SIGKILL');
      if (actor.exitCode === null && actor.signalCode === null) await once(actor, 'exit');
    }
    if (semid !== '') spawnSync('ipcrm', ['-s', semid]);
    for (const path of [shm, folder]) if (path !== '') rmSync(path, { recursive: true, force: true });
  });

  const page = (): WorkbenchPage['page'] => workbench.page;
  const box = (): Locator => page().locator('.quick-input-widget:visible .quick-input-box input');
  const shield = (): Locator => page().locator('.part.statusbar [id="ipc-inspector.ipc-inspector.ipcInspector.rights"], .part.statusbar .statusbar-item').filter({ hasText: /IPC: Administrator/ });
  const only = async (title: string): Promise<Locator> => {
    for (const other of ['IPC Objects', 'Processes', 'Waits and Deadlocks']) if (other !== title) await workbench.fold(other);
    return workbench.view(title);
  };
  const described = (view: Locator, text: string | RegExp): Locator => view.locator('.pane-header .description').filter({ hasText: text });
  const picture = (name: string): Promise<void> => workbench.screenshot(join(prepared.artifacts, `rights-${name}.png`));
  /** The objects that match, unfolded: there may be thousands of others. */
  const filtered = async (text: string): Promise<Locator> => {
    const objects = await only('IPC Objects');
    await workbench.command('IPC Inspector: Filter IPC Objects…');
    await workbench.answerQuickInput(text);
    await objects.getByText(`Filter: ${text}`).waitFor();
    return objects;
  };
  const answerBox = async (): Promise<void> => {
    await box().waitFor();
    await box().fill(ordinary.password);
    await page().keyboard.press('Enter');
  };
  /** What is shown of root's things with the user's own rights. */
  const closed = async (): Promise<void> => {
    const objects = await filtered(`semid ${semid}`);
    await described(objects, `as ${ordinary.name}`).waitFor();
    const set = await workbench.findRow(objects, `semid ${semid}`);
    assert.match(await set.innerText(), /values unknown/);
    const waits = await only('Waits and Deadlocks');
    await described(waits, `as ${ordinary.name}`).waitFor();
    await workbench.rows(waits, 'Suspected deadlock').filter({ hasText: `perl (${actors[0]?.pid})` }).waitFor();
  };

  it('as an ordinary user shows what root has as unknown, and root\'s deadlock as suspected, with the reason', async () => {
    await workbench.showContainer('IPC');
    await workbench.widenSideBar(640);
    await closed();
    const waits = await workbench.view('Waits and Deadlocks');
    const finding = workbench.rows(waits, 'Suspected deadlock').filter({ hasText: `perl (${actors[0]?.pid})` });
    await workbench.expand(finding);
    await workbench.findRow(waits, /Unless: that pid \d+ \(perl\) waits for a flock lock is known from .proc.locks alone/);
    await picture('suspected');
  });

  it('is offered by “What Can’t I See?” for each cause that it would help against; a closed box changes nothing', async () => {
    await workbench.command('IPC Inspector: What Can’t I See?');
    const section = workbench.webview().locator('section').filter({ hasText: 'They belong to another user' });
    await section.waitFor();
    await picture('page');
    await section.getByRole('link', { name: 'Look as Administrator…' }).first().click();
    await box().waitFor();
    assert.equal(await box().getAttribute('type'), 'password');
    await page().keyboard.press('Escape');
    await box().waitFor({ state: 'hidden' });
    assert.equal(await page().locator('.notification-toast').count(), 0);
    assert.equal(await shield().count(), 0);
  });

  it('takes a prepared Node.js from the settings of the machine that is worked on, and never from those of a folder', async () => {
    const attempt = async (): Promise<'asked' | 'refused'> => {
      await workbench.command('IPC Inspector: Look as Administrator…');
      const refusal = page().locator('.notification-toast').filter({ hasText: 'is not an absolute path' });
      await box().or(refusal).first().waitFor();
      const answer = await refusal.count() > 0 ? 'refused' : 'asked';
      if (answer === 'asked') await page().keyboard.press('Escape');
      else await workbench.command('Notifications: Clear All Notifications');
      return answer;
    };
    const setting = { 'ipcInspector.probeExecutable': 'no/absolute/path' };
    const [folderSettings, machineSettings] = [join(ordinary.home, '.vscode', 'settings.json'), join(ordinary.data, 'data', 'Machine', 'settings.json')];
    mkdirSync(join(ordinary.home, '.vscode'), { recursive: true });
    writeFileSync(folderSettings, JSON.stringify(setting));
    const before = readFileSync(machineSettings, 'utf8');
    try {
      assert.equal(await attempt(), 'asked');
      writeFileSync(machineSettings, JSON.stringify({ ...JSON.parse(before) as object, ...setting }));
      for (const end = Date.now() + 20_000; await attempt() !== 'refused';) assert.ok(Date.now() < end, 'the setting is not taken');
    } finally {
      writeFileSync(machineSettings, before);
      rmSync(folderSettings);
    }
    for (const end = Date.now() + 20_000; await attempt() !== 'asked';) assert.ok(Date.now() < end, 'the setting stays');
  });

  it('asks again after a wrong password, then shows root\'s objects and the deadlock, and says whose rights these are', async () => {
    // A second try finds the rights of the first.
    if (await shield().count() > 0) await workbench.command('IPC Inspector: Look as Yourself');
    await workbench.command('IPC Inspector: Look as Administrator…');
    await box().waitFor();
    await box().fill('wrong');
    await page().keyboard.press('Enter');
    const widget = page().locator('.quick-input-widget:visible');
    await widget.getByText('Wrong password, try again.').waitFor();
    await picture('box');
    await answerBox();
    await shield().waitFor();
    const waits = await workbench.view('Waits and Deadlocks');
    await described(waits, 'as root').waitFor();
    const finding = workbench.rows(waits, /^Deadlock/).filter({ hasText: `perl (${actors[0]?.pid})` });
    await finding.waitFor();
    assert.equal(await workbench.rows(waits, 'Suspected deadlock').filter({ hasText: `perl (${actors[0]?.pid})` }).count(), 0);
    const objects = await filtered(`semid ${semid}`);
    await described(objects, 'as root').waitFor();
    assert.match(await (await workbench.findRow(objects, `semid ${semid}`)).innerText(), /\[0 0\]/);
    await filtered(shm.replace('/dev/shm/', ''));
    const segment = await workbench.findRow(objects, shm.replace('/dev/shm', ''));
    await workbench.expand(segment);
    await workbench.findRow(objects, `PID ${actors[0]?.pid} · fd 9 read-write`);
    await picture('administrator');
    // The page is about the rights that are there now, without being asked for again.
    await workbench.webview().getByText('is looked at as root').waitFor();
    assert.equal(await workbench.webview().getByRole('link', { name: 'Look as Administrator…' }).count(), 0);
  });

  it('removes what is root\'s, and undoes it after the rights were given up by asking for them again', async function () {
    const file = `/dev/shm/ipc-inspector-undo-${process.pid}`;
    const backups = join(userInfo().homedir, '.local', 'state', 'ipc-inspector', 'removed');
    const saved = (): string[] => existsSync(backups) ? readdirSync(backups) : [];
    const [existed, before] = [existsSync(join(backups, '..')), new Set(saved())];
    writeFileSync(file, 'kept'.repeat(2048), { mode: 0o640 });
    // A second try finds the rights given up.
    if (await shield().count() === 0) {
      await workbench.command('IPC Inspector: Look as Administrator…');
      await answerBox();
      await shield().waitFor();
    }
    try {
      const objects = await filtered(file.replace('/dev/shm/', ''));
      await workbench.inlineAction(await workbench.findRow(objects, file.replace('/dev/shm', '')), 'Remove');
      await workbench.answerDialog('Remove');
      await workbench.notification(/Removed POSIX shared memory/);
      assert.ok(!existsSync(file));
      await shield().click();
      await shield().waitFor({ state: 'detached' });
      await workbench.answerNotification(/Removed POSIX shared memory/, 'Undo');
      await workbench.answerNotification(/takes these rights again/, 'Look as Administrator and Undo');
      await answerBox();
      await workbench.notification(/is back/);
      assert.equal(readFileSync(file, 'utf8'), 'kept'.repeat(2048));
      assert.equal(statSync(file).uid, 0);
    } finally {
      rmSync(file, { force: true });
      for (const name of saved()) if (!before.has(name)) rmSync(join(backups, name));
      if (!existed) rmSync(join(backups, '..'), { recursive: true, force: true });
    }
  });

  it('leaves the password in no file that VS Code or the extension writes, and nothing of the asking', () => {
    const { status, stdout } = spawnSync('grep', ['-rlFs', '--devices=skip', '--', ordinary.password, ordinary.data, ordinary.home], { encoding: 'utf8', timeout: 30_000 });
    assert.deepEqual([status, stdout], [1, '']);
    const left = readdirSync(tmpdir()).filter(name => name.startsWith('ipc-inspector-') && existsSync(join(tmpdir(), name, 's')));
    assert.deepEqual(left, []);
  });

  it('is given up by its entry in the status bar: everything is closed again, and no probe of root\'s is left', async () => {
    // A second try finds them given up.
    if (await shield().count() > 0) {
      assert.equal(elevated().length, 1, 'one probe has the rights');
      await shield().click();
      await shield().waitFor({ state: 'detached' });
    }
    await workbench.webview().getByText(`It is looked at as ${ordinary.name}`).waitFor();
    await closed();
    for (const end = Date.now() + 10_000; elevated().length > 0 && Date.now() < end;) await new Promise(next => setTimeout(next, 50));
    assert.deepEqual(elevated(), []);
  });

  /** Confined probes of the ordinary user's extension. */
  function elevated(): number[] {
    return readdirSync('/proc').filter(it => /^\d+$/.test(it)).map(Number).filter(pid => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words[1]?.startsWith(ordinary.data) === true && words[2] === 'serve' && words[3] === '--confined';
      } catch {
        return false; // It has ended in the meantime.
      }
    });
  }
});
