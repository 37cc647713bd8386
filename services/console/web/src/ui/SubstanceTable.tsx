import type { Substance } from '../gen/proto/fenghuo/common/v1/common_pb';
import { useI18n } from '../i18n';
import { formatNumber } from '../logic/numbers';
import { dateTime, ms } from '../logic/time';

/** What polluted, and what was measured of it, how and when. */
export function SubstanceTable({ substances }: { substances: readonly Substance[] }) {
  const { t } = useI18n();
  if (substances.length === 0) return <p className="faint">{t('substance.none')}</p>;
  return (
    <table className="substances" data-testid="substances">
      <thead>
        <tr>
          <th>{t('substance.name')}</th>
          <th>{t('substance.value')}</th>
          <th>{t('substance.over')}</th>
          <th>{t('substance.sampled')}</th>
        </tr>
      </thead>
      <tbody>
        {substances.map((s, i) => (
          <tr key={i} data-testid="substance">
            <td>
              {s.name} <span className="faint num">{s.cas}</span>
              {s.releasedMassKg !== undefined && (
                <div className="num">{t('substance.released', { kg: formatNumber(s.releasedMassKg) })}</div>
              )}
            </td>
            <td className="num">{s.value === undefined ? t('substance.notMeasured') : `${formatNumber(s.value)} ${s.unit}`}</td>
            <td className="num">{s.timesOverLimit === undefined ? t('common.unknown') : formatNumber(s.timesOverLimit)}</td>
            <td>
              <span className="num">{ms(s.samplingTime) === undefined ? t('common.unknown') : dateTime(ms(s.samplingTime) ?? 0)}</span>
              <div className="faint">
                {s.section} {s.method}
              </div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
