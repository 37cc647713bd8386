import { useI18n } from '../i18n';
import { useStore } from '../live/store';
import { takenNotice } from '../report/taken';

/** Says what became of the report that was just sent: a new incident, or which one it joined and why. */
export function TakenNotice({ incident }: { incident: string }) {
  const { t, lang } = useI18n();
  const taken = useStore(takenNotice);
  if (taken?.incident !== incident) return null;
  const reasons = lang === 'zh' ? taken.zh : taken.en;
  return (
    <div className="notice" role="status" data-testid="taken" data-opened={taken.opened}>
      <p>
        ✓ <strong>{taken.opened ? t('taken.opened') : t('taken.joined')}</strong>
      </p>
      {reasons.length > 0 && (
        <ul>
          {reasons.map((r) => (
            <li key={r}>{r}</li>
          ))}
        </ul>
      )}
      <button type="button" className="tool" data-testid="taken-close" onClick={() => takenNotice.set(null)} aria-label={t('common.close')}>
        ✕
      </button>
    </div>
  );
}
