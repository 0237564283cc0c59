import { useSyncExternalStore } from 'react';

/** Colours that canvases draw with, read from the style sheet, where light and dark are told apart. */
export interface Theme {
  text: string;
  muted: string;
  line: string;
  panel: string;
  up: string;
  down: string;
  accent: string;
  first: string;
  second: string;
  volume: string;
}

const dark = window.matchMedia('(prefers-color-scheme: dark)');

function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: colour('--text'),
    muted: colour('--muted'),
    line: colour('--line'),
    panel: colour('--panel'),
    up: colour('--up'),
    down: colour('--down'),
    accent: colour('--accent'),
    first: colour('--model-1'),
    second: colour('--model-2'),
    volume: colour('--volume'),
  };
}

let theme: Theme | undefined;

function subscribe(listener: () => void): () => void {
  const refresh = () => {
    theme = readTheme();
    listener();
  };
  dark.addEventListener('change', refresh);
  return () => dark.removeEventListener('change', refresh);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => {
    theme ??= readTheme();
    return theme;
  });
}
