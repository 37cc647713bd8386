import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

declare const process: { env: Record<string, string | undefined> };

export default defineConfig({
  plugins: [react()],
  // Relative addresses, so that the page also works behind a path prefix.
  base: './',
  build: {
    target: 'es2022',
    // Everything stays a file of its own: the page's content security policy allows no inline script.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  worker: { format: 'es' },
  // `npm run dev` against a running node: the calls go on to its console listener.
  server: { proxy: { '^/fenghuo\\.': process.env.FENGHUO_NODE ?? 'http://127.0.0.1:8420' } },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
});
