import { memo, useEffect, useRef } from 'react';
import { useTheme } from './theme.ts';

/** A session's prices in a table cell. The row beside it says the same in numbers, so that it has no text of its own. */
export const Sparkline = memo(function Sparkline({
  points,
  rising,
}: {
  points: readonly number[] | undefined;
  rising: boolean;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { up, down } = useTheme();
  const colour = rising ? up : down;

  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    const { clientWidth: width, clientHeight: height } = context.canvas;
    const scale = Math.min(window.devicePixelRatio || 1, 3);
    // Sizing a canvas makes the browser lay out the page again: forty of them do it only when they must.
    if (context.canvas.width !== Math.round(width * scale)) {
      context.canvas.width = Math.round(width * scale);
      context.canvas.height = Math.round(height * scale);
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!points || points.length < 2) return;
    const low = Math.min(...points);
    const span = Math.max(...points) - low || 1;
    context.beginPath();
    points.forEach((value, index) => {
      const x = 1 + (index * (width - 2)) / (points.length - 1);
      const y = height - 2 - ((value - low) * (height - 4)) / span;
      if (index === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    });
    context.strokeStyle = colour;
    context.lineWidth = 1.25;
    context.lineJoin = 'round';
    context.stroke();
  }, [points, colour]);

  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas takes no focus
  return <canvas ref={canvas} className="sparkline" aria-hidden="true" />;
});
