import { errorCodes } from '@tickfold/kafka-protocol';

/** Kafka's numbers for SCRAM-SHA-256 and SCRAM-SHA-512. */
const MECHANISMS: readonly number[] = [1, 2];
/** Kafka's bounds. */
const FEWEST_ITERATIONS = 4_096;
const MOST_ITERATIONS = 16_384;
const MAX_USERS = 1_000;

export interface Credential {
  mechanism: number;
  iterations: number;
}

export interface Upsertion extends Credential {
  name: string;
}

export interface Deletion {
  name: string;
  mechanism: number;
}

/** Why a change of a user's credentials is not made. */
export interface AccountError {
  errorCode: number;
  message: string;
}

/**
 * Who was given a password for SCRAM, as tools ask it. Nothing here asks for passwords, so none is kept.
 */
export class Accounts {
  readonly #users: Map<string, Map<number, number>>;

  constructor(kept: Readonly<Record<string, readonly Credential[]>> = {}) {
    this.#users = new Map(
      Object.entries(kept).map(([user, credentials]) => [
        user,
        new Map(credentials.map(({ mechanism, iterations }) => [mechanism, iterations])),
      ]),
    );
  }

  names(): string[] {
    return [...this.#users.keys()];
  }

  credentials(user: string): Credential[] {
    return [...(this.#users.get(user) ?? [])].map(([mechanism, iterations]) => ({ mechanism, iterations }));
  }

  /** Makes all changes of one user, or none. */
  alter(user: string, deletions: readonly Deletion[], upsertions: readonly Upsertion[]): AccountError | undefined {
    const changed = [...deletions, ...upsertions].map(({ mechanism }) => mechanism);
    const error =
      this.#nameError(user) ??
      firstError(changed, mechanismError) ??
      (new Set(changed).size < changed.length
        ? { errorCode: errorCodes.DUPLICATE_RESOURCE, message: `user '${user}' is changed twice` }
        : undefined) ??
      firstError(upsertions, iterationsError) ??
      firstError(deletions, (deletion) => this.#missingError(deletion));
    if (error !== undefined) return error;
    const kept = new Map(this.#users.get(user));
    for (const { mechanism } of deletions) kept.delete(mechanism);
    for (const { mechanism, iterations } of upsertions) kept.set(mechanism, iterations);
    if (kept.size === 0) this.#users.delete(user);
    else this.#users.set(user, kept);
    return undefined;
  }

  #nameError(user: string): AccountError | undefined {
    const { UNACCEPTABLE_CREDENTIAL: errorCode } = errorCodes;
    if (user === '') return { errorCode, message: 'a user has a name' };
    if (this.#users.has(user) || this.#users.size < MAX_USERS) return undefined;
    return { errorCode, message: `there are ${MAX_USERS} users already` };
  }

  #missingError({ name, mechanism }: Deletion): AccountError | undefined {
    if (this.#users.get(name)?.has(mechanism)) return undefined;
    return { errorCode: errorCodes.RESOURCE_NOT_FOUND, message: `user '${name}' has no such credential` };
  }
}

function mechanismError(mechanism: number): AccountError | undefined {
  if (MECHANISMS.includes(mechanism)) return undefined;
  const message = `mechanism ${mechanism} is neither 1 (SCRAM-SHA-256) nor 2 (SCRAM-SHA-512)`;
  return { errorCode: errorCodes.UNSUPPORTED_SASL_MECHANISM, message };
}

function iterationsError({ iterations }: Credential): AccountError | undefined {
  if (iterations >= FEWEST_ITERATIONS && iterations <= MOST_ITERATIONS) return undefined;
  const message = `${iterations} iterations: they may be ${FEWEST_ITERATIONS} to ${MOST_ITERATIONS}`;
  return { errorCode: errorCodes.UNACCEPTABLE_CREDENTIAL, message };
}

function firstError<T>(items: readonly T[], check: (item: T) => AccountError | undefined): AccountError | undefined {
  for (const item of items) {
    const error = check(item);
    if (error !== undefined) return error;
  }
  return undefined;
}
