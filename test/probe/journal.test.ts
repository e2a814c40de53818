// Where backups are written and read: never where another user could have led the probe. Races against a real second user's program.
import { strict as assert } from 'node:assert';
import { chmodSync, chownSync, closeSync, linkSync, lchownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openContents, openBackupDirectory } from '../../native-probe/backup';
import { openSafely } from '../../native-probe/kernel/safeDirectory';
import { skip } from '../skip';
import { canBecomeOrdinary, fixture, hasCompiler, ipcProbe, ordinaryUser, Program, scratchDirectory, snapshotOf } from './harness';

describe('threat: another user wants to lead the backups elsewhere', function () {
  let folder = '';
  before(function () { if (!canBecomeOrdinary()) skip(this, 'needs root, to act as a second user'); });
  beforeEach(() => { folder = mkdtempSync(join(scratchDirectory(), 'journal-')); chmodSync(folder, 0o1777); });
  afterEach(async () => { await Program.stopAll(); rmSync(folder, { recursive: true, force: true }); });
  const refused = (path: string, why: RegExp): void => { assert.throws(() => openBackupDirectory(path), why); };

  it('makes what is missing for its own user alone, also below a sticky directory and behind its own link', () => {
    assert.equal(openBackupDirectory(join(folder, 'a', 'b')), join(folder, 'a', 'b'));
    symlinkSync('a', join(folder, 'link'));
    assert.equal(openBackupDirectory(join(folder, 'link', 'b')), join(folder, 'a', 'b'));
    symlinkSync(join(folder, 'link', '..', 'a'), join(folder, 'absolute'));
    assert.equal(openBackupDirectory(join(folder, 'absolute', '..', 'a', '.', 'b')), join(folder, 'a', 'b'));
  });

  it('refuses a directory or a link of another user anywhere on the way, what others can write to, a loop, and what is no directory', () => {
    mkdirSync(join(folder, 'theirs'));
    chownSync(join(folder, 'theirs'), ordinaryUser, ordinaryUser);
    refused(join(folder, 'theirs', 'b'), /belongs to another user/);
    mkdirSync(join(folder, 'ours'), { mode: 0o700 });
    symlinkSync('ours', join(folder, 'their-link'));
    lchownSync(join(folder, 'their-link'), ordinaryUser, ordinaryUser);
    refused(join(folder, 'their-link', 'b'), /belongs to another user/);
    assert.deepEqual(readdirSync(join(folder, 'ours')), []);
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o777);
    refused(join(folder, 'open', 'b'), /can be written by others/);
    symlinkSync('loop', join(folder, 'loop'));
    refused(join(folder, 'loop', 'b'), /too many symbolic links/);
    writeFileSync(join(folder, 'file'), '');
    refused(join(folder, 'file'), /not a directory/);
    refused('relative', /not an absolute path/);
    assert.throws(() => openSafely(join(folder, 'missing')), /ENOENT/);
  });

  it('is never led away by somebody who swaps a directory for a link and back while it looks', async function () {
    this.timeout(30_000);
    mkdirSync(join(folder, 'victim'), { mode: 0o700 });
    // It has its own name in the sticky directory: now nothing, now a directory of its own, now a link to root's.
    const swap = `const fs=require('fs'),d=process.argv[1],v=process.argv[2];console.log('go');for(;;){for(const f of [()=>fs.mkdirSync(d),()=>fs.rmdirSync(d),()=>fs.symlinkSync(v,d),()=>fs.unlinkSync(d)])try{f()}catch{}}`;
    const attacker = Program.start(process.execPath, ['-e', swap, join(folder, 'name'), join(folder, 'victim')], { user: ordinaryUser });
    await attacker.line();
    let refusals = 0;
    for (const end = Date.now() + 4_000; Date.now() < end && refusals < 2_000;) {
      try {
        const { fd, path } = openSafely(join(folder, 'name', 'inner'), { make: true });
        closeSync(fd);
        // Faster than the attacker: then it is root's own directory, made by this call.
        assert.equal(path, join(folder, 'name', 'inner'));
        rmSync(join(folder, 'name'), { recursive: true });
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        refusals++;
      }
      assert.deepEqual(readdirSync(join(folder, 'victim')), []);
    }
    assert.ok(refusals > 0, 'the attack took place');
  });

  it('does not read a file of root\'s that somebody linked into a backup of his own, nor waits for a FIFO', () => {
    const theirs = join(folder, 'theirs');
    mkdirSync(theirs);
    chownSync(theirs, ordinaryUser, ordinaryUser);
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'secret', { mode: 0o600 });
    linkSync(secret, join(theirs, 'hard.data'));
    symlinkSync(secret, join(theirs, 'soft.data'));
    assert.throws(() => openContents(join(theirs, 'hard.data')), /belongs to another user than its directory/);
    assert.throws(() => openContents(join(theirs, 'soft.data')), /ELOOP/);
    writeFileSync(join(theirs, 'own.data'), 'own');
    chownSync(join(theirs, 'own.data'), ordinaryUser, ordinaryUser);
    closeSync(openContents(join(theirs, 'own.data')));
    assert.throws(() => openContents('/dev/null'), /not a plain file/);
  });
});

describe('where no backup can be written', function () {
  before(function () { if (!canBecomeOrdinary() || !hasCompiler()) skip(this, 'needs root, a user to become, and a C compiler (cc)'); });
  afterEach(() => Program.stopAll());

  it('nothing is removed, and the next step is said: a home that is not there, or is somebody else\'s', async () => {
    const program = Program.start(fixture('ipc'), [], { user: ordinaryUser });
    await program.line();
    program.tell('shmget 0 4096 600');
    const shmid = await program.line();
    try {
      const id = `sysv-shared-memory:${snapshotOf(['--kind', 'sysv-shared-memory']).host.ipcNamespace}:${shmid}`;
      for (const HOME of ['/nonexistent', '/proc', scratchDirectory()]) {
        const { status, stdout, stderr } = ipcProbe(['remove', '--json', id], { user: ordinaryUser, env: { PATH: process.env['PATH'], HOME } });
        assert.equal(status, 1, stderr);
        assert.match(stdout + stderr, /nothing is removed without a backup.*XDG_STATE_HOME/s, HOME);
        program.tell(`shmat ${shmid} 0`);
        const address = await program.line();
        assert.match(address, /^(0x)?[0-9a-f]+$/, 'it is still there');
        program.tell(`shmdt ${address}`);
        await program.line();
      }
    } finally {
      program.tell(`shmrm ${shmid}`);
      await program.line();
    }
  });
});
