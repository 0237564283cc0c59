export * from './browser.ts';
export * from './layouts/decode.ts';
export * from './layouts/encode.ts';
export * from './layouts/fields.ts';
export { printable, TickParseError } from './layouts/tick-parse-error.ts';
export * from './schemas/enriched-tick.ts';
export * from './schemas/event-schema.ts';
export * from './schemas/registry.ts';
export * from './simulator/index.ts';
