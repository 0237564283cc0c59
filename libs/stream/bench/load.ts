/** What is sent: keyed records of 100 bytes, no two neighbours alike. */
export const PARTITIONS = 4;
export const KEYS = 5_000;
export const RECORD_BYTES = 100;
const KEY_BYTES = 6;
const VALUE_BYTES = RECORD_BYTES - KEY_BYTES;
const DIFFERENT_VALUES = 1_021;

export const keys: readonly Buffer[] = Array.from({ length: KEYS }, (_, i) =>
  Buffer.from(`${i}`.padStart(KEY_BYTES, 'K')),
);

/** A prime number of them, so that keys and values meet in ever other pairs. */
export const values: readonly Buffer[] = Array.from({ length: DIFFERENT_VALUES }, (_, i) => {
  const value = Buffer.alloc(VALUE_BYTES);
  for (let at = 0; at < VALUE_BYTES; at++) value[at] = (i * 31 + at * 17 + i * at) & 0xff;
  return value;
});
