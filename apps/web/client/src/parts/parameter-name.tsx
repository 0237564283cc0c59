/** What a parameter means, and under it the name that it is set by. */
export function ParameterName({ name, label, differs = false }: { name: string; label: string; differs?: boolean }) {
  return (
    <>
      {label.replace(/\.$/, '')}
      {differs && <span className="tag">differs</span>}
      <code className="parameter-code">{name}</code>
    </>
  );
}

/** A parameter that only the other version has. */
export function ParameterValue({ value }: { value: string | undefined }) {
  return value === undefined ? <span className="muted">not used</span> : value;
}
