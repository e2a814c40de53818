// Processes of unusual size: every descriptor and every mapping is there, and the snapshot comes all the same.
import { strict as assert } from 'node:assert';
import { fixture, hasCompiler, Program, snapshotOf } from './harness';
import { skip } from '../skip';

describe('a process of unusual size', function () {
  before(function () { if (!hasCompiler()) skip(this, 'needs a C compiler (cc)'); });
  afterEach(() => Program.stopAll());

  it('with 100,000 descriptors has them all', async function () {
    const program = Program.start(fixture('huge'), ['descriptors', '100000']);
    const made = Number(await program.line());
    if (made < 1000) skip(this, 'no right to as many descriptors');
    const { handles, objects } = snapshotOf(['--kind', 'pipe', '--pid', String(program.pid)]);
    const own = handles.filter(({ pid, end }) => pid === program.pid && end === 'read');
    const most = new Map<string, number>();
    for (const { objectId } of own) most.set(objectId, (most.get(objectId) ?? 0) + 1);
    assert.ok(Math.max(...most.values()) >= made, `${Math.max(...most.values())} of ${made}`);
    assert.ok(objects.length < 100);
  });

  it('with 60,000 mappings has them all', async () => {
    const program = Program.start(fixture('huge'), ['mappings', '60000']);
    const made = Number(await program.line());
    const { handles } = snapshotOf(['--kind', 'memfd', '--pid', String(program.pid)]);
    assert.equal(handles.filter(({ pid, via }) => pid === program.pid && via === 'mapping').length, made);
  });
});
