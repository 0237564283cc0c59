import { describeStory } from './story.ts';

describeStory({
  title: 'the five-minute story',
  serve: async () => ({ env: {}, stop: async () => {} }),
  isWhole: true,
  killed: ['broker', 'ingest', 'enrichment', 'reversion-1', 'reversion-2'],
});
