import { diffVolumes } from '@tickfold/evaluation';
import { openVolume, type VolumeView } from '@tickfold/volumes';
import type { DiffInput } from './job-inputs.ts';
import { serveJob } from './serve-job.ts';
import { withBroker } from './with-broker.ts';

serveJob<DiffInput>((input, { signal, onProgress }) =>
  withBroker(input, signal, async (client) => {
    const { dataDir } = input;
    const streams = { client, through: 'broker', close: () => client.close() } as const;
    return withView(await openVolume(input.a, { dataDir, streams }), async (a) =>
      withView(await openVolume(input.b, { dataDir, streams }), (b) =>
        diffVolumes(a, b, { dataDir, market: client, signal, onProgress }),
      ),
    );
  }),
);

async function withView<Result>(view: VolumeView, use: (view: VolumeView) => Promise<Result>): Promise<Result> {
  try {
    return await use(view);
  } finally {
    await view.close();
  }
}
