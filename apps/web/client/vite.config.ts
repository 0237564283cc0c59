import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** `npx vite` serves the page on its own and takes everything else from a running web app. */
const server = process.env.WEB_SERVER ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [react()],
  build: { target: 'es2022', sourcemap: false },
  server: { proxy: { '/api': server } },
});
