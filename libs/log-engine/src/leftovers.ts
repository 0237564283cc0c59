/** Told of something that counts for nothing but could not be removed. */
export type OnLeftover = (detail: string) => void;

/** What a crash left counts for nothing: where it cannot be removed, that is told, and keeps nobody from going on. */
export async function tryToRemove(path: string, onLeftover: OnLeftover, remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    onLeftover(`${path} could not be removed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
