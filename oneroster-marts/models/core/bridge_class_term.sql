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

select
    terms.class_id,
    terms.term_id,
    sessions.begin_date,
    sessions.end_date,
    sessions.year_id,
    sessions.year_begin,
    sessions.year_end
from terms
left join {{ ref('dim_session') }} as sessions on terms.term_id = sessions.session_id
