{{ config(materialized='view') }}
-- What the roster has of a class is public: of its kinds all are shown or none.
select
    its.*,
    case
        when its.kind in ('in_both', 'only_roster', 'role_differs')
            then
                min(its.members) over (
                    partition by its.lms, its.class_id, its.kind in ('in_both', 'only_roster', 'role_differs')
                )
        else its.members
    end as shown_size
from {{ ref('lms_membership_gap') }} as its
