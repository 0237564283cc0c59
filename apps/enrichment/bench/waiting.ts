/** Loaded into enrichment before it starts: makes each tick cost 50 µs more than it does. */
import { enrichedTickSchema } from '@tickfold/market';

const WAIT_MS = 0.05;
const nothing = new Int32Array(new SharedArrayBuffer(4));
const encode = enrichedTickSchema.encode.bind(enrichedTickSchema);

enrichedTickSchema.encode = (tick) => {
  // As work does, it holds up its own process; unlike work, it needs no core of its own.
  Atomics.wait(nothing, 0, 0, WAIT_MS);
  return encode(tick);
};
