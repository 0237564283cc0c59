import { runApp } from '@tickfold/app-runtime';
import { runBroker } from './run-broker.ts';

runApp({ name: 'broker', main: runBroker });
