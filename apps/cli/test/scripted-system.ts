import type { System } from '../src/system.ts';

/** A system that answers only what a test says; any other call fails the test. */
export function scriptedSystem(answers: Partial<System> = {}): System {
  const unexpected = (name: string) => async (): Promise<never> => {
    throw new Error(`${name} was not to be called`);
  };
  return {
    snapshots: unexpected('snapshots'),
    createSnapshot: unexpected('createSnapshot'),
    deleteSnapshot: unexpected('deleteSnapshot'),
    verifySnapshot: unexpected('verifySnapshot'),
    exportSnapshot: unexpected('exportSnapshot'),
    importSnapshot: unexpected('importSnapshot'),
    restoreSnapshot: unexpected('restoreSnapshot'),
    volumes: unexpected('volumes'),
    deleteVolume: unexpected('deleteVolume'),
    freeVolumeName: async () => 'try-7',
    replay: unexpected('replay'),
    diff: unexpected('diff'),
    promote: unexpected('promote'),
    rollback: unexpected('rollback'),
    promotions: unexpected('promotions'),
    champion: unexpected('champion'),
    ...answers,
  };
}
