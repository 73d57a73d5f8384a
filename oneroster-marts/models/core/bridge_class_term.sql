-- A class without terms has one row, whose term is `none`.
with items as (
    {{ each_item(ref('stg_oneroster__classes'), ['class_id'], 'term_ids') }}
),

terms as (
    select distinct
        class_id,
        item as term_id
    from items
    where item is not null
    union all
    select
        class_id,
        'none' as term_id
    from {{ ref('stg_oneroster__classes') }}
    where {{ item_count('term_ids') }} = 0
)

-- The day as of which a class is described: today, or the term's last day if it is over, or its first if it is to come.
select
    terms.class_id,
    terms.term_id,
    sessions.begin_date,
    sessions.end_date,
    sessions.year_id,
    case
        when sessions.end_date <= {{ today() }} then {{ plus_days('sessions.end_date', -1) }}
        when sessions.begin_date > {{ today() }} then sessions.begin_date
        else {{ today() }}
    end as described_on
from terms
left join {{ ref('dim_session') }} as sessions on terms.term_id = sessions.session_id
