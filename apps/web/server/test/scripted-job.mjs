// A job that does what its input says. `port`: it stays connected there for as long as its process lives.
import { connect } from 'node:net';
import { serveJob } from '../dist/jobs/serve-job.js';

serveJob(async ({ does, port }, { signal, onProgress }) => {
  if (port !== undefined) connect(port, '127.0.0.1').on('error', () => {});
  onProgress({ done: 3, total: 10 });
  switch (does) {
    case 'finish':
      return { answer: 42 };
    case 'refuse':
      throw Object.assign(new Error('There is no such thing.'), { mend: 'Name another.' });
    case 'break':
      throw new Error('a fault in the code');
    case 'exit':
      return process.exit(3);
    case 'fill the memory': {
      const kept = [];
      for (;;) kept.push(new Array(100_000).fill(kept.length));
    }
    case 'wait':
      await untilAborted(signal);
      throw signal.reason;
    case 'finish when stopped':
      await untilAborted(signal);
      return { answer: 'after all' };
    case 'hang':
      return new Promise(() => setInterval(() => {}, 1_000));
    case 'block':
      for (;;);
    default:
      throw new Error(`unknown: ${does}`);
  }
});

function untilAborted(signal) {
  return new Promise((resolve) => {
    const idle = setInterval(() => {}, 1_000);
    signal.addEventListener('abort', () => {
      clearInterval(idle);
      resolve();
    });
  });
}
