export { DEMO_SPEED } from './intensity.ts';
export { createSimulator, type Simulator, type SimulatorOptions, simulatorDefaults } from './simulator.ts';
export { type SimulatedSymbol, simulatedSymbols } from './symbols.ts';
