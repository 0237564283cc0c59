import { runApp } from '@tickfold/app-runtime';
import { runWeb } from './web.ts';

runApp({ name: 'web', serveHealth: false, main: runWeb });
