export { type SimulatorOptions, simulatorDefaults } from './defaults.ts';
export { createEarlierSessions, type EarlierSessions, type EarlierSessionsOptions } from './earlier-sessions.ts';
export { DEMO_SPEED } from './intensity.ts';
export { SAMPLE_SESSION_FILE, sampleSession, sampleSessionOptions } from './sample-session.ts';
export { createSimulator, type Simulator } from './simulator.ts';
export { type SimulatedSymbol, simulatedSymbols } from './symbols.ts';
