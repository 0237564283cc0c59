import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

/** `npx vite` serves the page on its own and takes everything else from a running web app. */
const server = process.env.WEB_SERVER ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [react()],
  // Packages of this repository come from their sources: the page needs no build of theirs before its own.
  resolve: { conditions: ['@tickfold/source', ...defaultClientConditions] },
  build: { target: 'es2022', sourcemap: false },
  server: { proxy: { '/api': server } },
});
