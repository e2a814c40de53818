// The command line as a stranger meets it: help, wrong words, exit statuses, clean standard output.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { ipcProbe, probePath } from './harness';

describe('ipc-probe on the command line', () => {
  it('explains itself with --help, also for each verb, and tells its version', () => {
    const { status, stdout } = ipcProbe(['--help']);
    assert.equal(status, 0);
    for (const verb of ['snapshot', 'waits', 'stale', 'leaks', 'remove', 'restore', 'serve']) {
      assert.match(stdout, new RegExp(`^ +${verb}`, 'm'));
      assert.equal(ipcProbe([verb, '--help']).status, 0);
    }
    assert.match(ipcProbe(['--version']).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('answers wrong words with one line that says what exists, exit status 2, and nothing on standard output', () => {
    for (const [args, expected] of [
      [[], /no verb given; the verbs are snapshot, waits/], [['snapsho'], /unknown verb 'snapsho'; the verbs are/], [['snapshot', '--jsn'], /unknown option '--jsn'; the options of snapshot are --json/],
      [['--nope'], /unknown option '--nope'/], [['snapshot', '--kind', 'pipes'], /unknown kind 'pipes'; the kinds are/], [['snapshot', '--pid', 'abc'], /'abc' is not a PID/],
      [['snapshot', '--pid', '-5'], /'-5' is not a PID/], [['snapshot', 'extra'], /too many arguments/], [['remove'], /missing required argument 'id'/], [['remove', 'rubbish'], /an id is KIND:/], [['restore'], /missing required argument 'file'/],
    ] as const) {
      const { status, stdout, stderr } = ipcProbe(args);
      assert.equal(status, 2, args.join(' '));
      assert.equal(stdout, '', args.join(' '));
      assert.match(stderr, expected);
      assert.equal(stderr.trim().split('\n').length, 1, `one line for ${args.join(' ')}: ${stderr}`);
    }
  });

  it('prints one JSON document and nothing else with --json', () => {
    for (const verb of ['snapshot', 'waits', 'stale']) {
      const document = JSON.parse(ipcProbe([verb, '--json']).stdout) as Record<string, unknown>;
      for (const key of ['version', 'takenAt', 'host', 'processes', 'objects', 'handles', 'waits', 'findings', 'gaps']) assert.ok(key in document, `${verb} ${key}`);
    }
  });

  it('says on standard error when a PID does not exist, and still answers', () => {
    const { status, stdout, stderr } = ipcProbe(['snapshot', '--json', '--pid', '4194304']);
    assert.equal(status, 0);
    assert.match(stderr, /there is no process 4194304/);
    assert.deepEqual((JSON.parse(stdout) as { processes: unknown[] }).processes, []);
  });

  it('names ids that do not exist, are of an unknown kind or cannot be removed, with exit status 1', () => {
    for (const [id, expected] of [['sysv-shared-memory:4026531839:2147483647', /no such object/], ['nonsense:1:2', /unknown kind nonsense/], ['flock-lock:1:1', /no such object|nothing to remove/]] as const) {
      const { status, stdout } = ipcProbe(['remove', '--dry-run', id]);
      assert.equal(status, 1);
      assert.match(stdout, expected);
    }
  });

  it('is silent when its reader goes away', () => {
    const { stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${probePath()}" snapshot --json | head -c 10`], { encoding: 'utf8' });
    assert.equal(stderr, '');
  });
});
