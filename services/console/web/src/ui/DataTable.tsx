import { useMemo, useState, type ReactNode } from 'react';
import { useI18n } from '../i18n';
import { asCsv, asTabs } from '../logic/tables';
import { Button } from './Button';

/** A column: how it sorts, filters and leaves the page as text, and how it is shown. */
export interface Column<T> {
  label: string;
  text: (row: T) => string;
  cell?: (row: T) => ReactNode;
}

interface Props<T> {
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  /** Further attributes of a row. */
  rowData?: (row: T) => Record<`data-${string}`, string>;
  actions?: (row: T) => ReactNode;
  empty: string;
  fileName: string;
  testId: string;
}

/** A table that sorts by its heads, filters by typing, and can be copied or saved as it is shown. */
export function DataTable<T>({ columns, rows, rowKey, rowData, actions, empty, fileName, testId }: Props<T>) {
  const { t, lang } = useI18n();
  const [filter, setFilter] = useState('');
  const [sort, setSort] = useState<{ at: number; down: boolean } | null>(null);
  const [copied, setCopied] = useState(false);
  const shown = useMemo(() => {
    const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (row: T) => words.every((w) => columns.some((c) => c.text(row).toLowerCase().includes(w)));
    const found = rows.filter(has);
    const column = sort && columns[sort.at];
    if (!column) return found;
    const order = new Intl.Collator(lang === 'zh' ? 'zh-CN' : 'en', { numeric: true });
    return [...found].sort((a, b) => order.compare(column.text(a), column.text(b)) * (sort.down ? -1 : 1));
  }, [rows, columns, filter, sort, lang]);
  const cells = () => [columns.map((c) => c.label), ...shown.map((row) => columns.map((c) => c.text(row)))];
  const save = () => {
    const url = URL.createObjectURL(new Blob([asCsv(cells())], { type: 'text/csv' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = fileName;
    link.click();
    URL.revokeObjectURL(url);
  };
  const headState = (i: number) => (sort?.at === i ? (sort.down ? 'descending' : 'ascending') : 'none');
  return (
    <>
      <div className="row table-tools">
        <input
          type="search"
          value={filter}
          placeholder={t('table.filter')}
          aria-label={t('table.filter')}
          data-testid={`${testId}-filter`}
          onChange={(e) => setFilter(e.target.value)}
        />
        <Button
          label={copied ? t('common.copied') : t('common.copy')}
          tone="quiet"
          testId={`${testId}-copy`}
          onClick={() => void navigator.clipboard?.writeText(asTabs(cells())).then(() => setCopied(true))}
        />
        <Button label={t('table.save')} tone="quiet" testId={`${testId}-save`} onClick={save} />
      </div>
      <table className="list" data-testid={testId}>
        <thead>
          <tr>
            {columns.map((c, i) => (
              <th key={c.label} aria-sort={headState(i)}>
                <button type="button" className="sort" onClick={() => setSort((s) => ({ at: i, down: s?.at === i && !s.down }))}>
                  {c.label} <span aria-hidden="true">{headState(i) === 'ascending' ? '▴' : headState(i) === 'descending' ? '▾' : ''}</span>
                </button>
              </th>
            ))}
            {actions && (
              <th>
                <span className="sr">{t('action.title')}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={rowKey(row)} {...rowData?.(row)}>
              {columns.map((c) => (
                <td key={c.label}>{c.cell ? c.cell(row) : c.text(row)}</td>
              ))}
              {actions && <td>{actions(row)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p className="empty">{empty}</p>}
    </>
  );
}
