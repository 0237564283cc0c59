// A web app reduced to its job board, to be killed: it starts one job that waits.
import { JobBoard } from '../dist/jobs/job-board.js';

const [entry, port] = process.argv.slice(2);
const settings = { title: 'The work', entry, heapMiB: 64, timeoutMs: 60_000, cleanUpMs: 500 };
const jobs = new JobBoard({ kinds: { replay: settings }, onFault: () => {} });
jobs.start('replay', { does: 'wait', port: Number(port) });
