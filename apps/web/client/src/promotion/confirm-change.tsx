import { useEffect, useRef, useState } from 'react';
import { postJson } from '../live/fetch-json.ts';
import { type Change, questionText } from './promotion-texts.ts';

/** Says what would happen, and does it when it is confirmed. Stays open, with the reason, when it was refused. */
export function ConfirmChange({
  change,
  champion,
  onDone,
  onClose,
}: {
  change: Change;
  champion: string | null;
  onDone: (change: Change) => void;
  onClose: (isDone: boolean) => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const confirmButton = useRef<HTMLButtonElement>(null);
  const isDone = useRef(false);
  const [isAsking, setIsAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const { title, body, confirm } = questionText(change, champion);

  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
    confirmButton.current?.focus();
  }, []);

  async function act(): Promise<void> {
    if (isAsking) return;
    setIsAsking(true);
    setProblem(null);
    try {
      await postJson(`/api/championship/${change.action}`, change.action === 'promote' ? { model: change.model } : {});
      isDone.current = true;
      onDone(change);
      dialog.current?.close();
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setIsAsking(false);
    }
  }

  return (
    <dialog
      ref={dialog}
      className="dialog"
      data-testid="confirm-dialog"
      aria-labelledby="confirm-title"
      aria-describedby="confirm-body"
      onClose={() => onClose(isDone.current)}
    >
      <h2 id="confirm-title">{title}</h2>
      <p id="confirm-body">{body}</p>
      <div role="alert">{problem !== null && <p className="problem">{problem}</p>}</div>
      <p className="dialog-buttons">
        <button type="button" className="button" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
        <button
          type="button"
          ref={confirmButton}
          className="button primary"
          data-testid="confirm-promotion"
          aria-disabled={isAsking}
          onClick={() => void act()}
        >
          {isAsking ? 'Waiting for the answer…' : confirm}
        </button>
      </p>
    </dialog>
  );
}
