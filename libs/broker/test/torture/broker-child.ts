/** The broker as a process of its own: tells its lines and, when asked, its memory. */
import { type Line, serveBroker } from './served-broker.ts';

export type FromChild = { port: number } | { line: Line } | { memoryBytes: number };
export type ToChild = 'tell' | 'close';

const tell = (message: FromChild): void => void process.send!(message);

const served = await serveBroker(process.argv[2]!, (line) => tell({ line }));
tell({ port: served.port });
process.on('message', async (message: ToChild) => {
  if (message === 'tell') {
    tell({ memoryBytes: process.memoryUsage.rss() });
  } else {
    await served.close();
    process.disconnect();
  }
});
