/** What may never be seen, whoever is killed and when. */
export type Broken = 'lost' | 'doubled' | 'reordered' | 'diverged' | 'stuck';

export class Violation extends Error {
  override name = 'Violation';
  readonly broken: Broken;

  constructor(broken: Broken, what: string) {
    super(`${broken}: ${what}`);
    this.broken = broken;
  }
}
