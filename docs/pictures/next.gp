# The picture of README.md: gnuplot next.gp, in this folder. The numbers are plots/next.tsv of the runs ddssm-1 and
# dkf-1 of 'sskit compare recipes/bimodal/compare.yaml -o study' after 'sskit plot study/ddssm-1' and 'study/dkf-1'.
set terminal svg size 720,320 dynamic noenhanced font 'sans-serif,15' background '#ffffff'
set output 'next.svg'
set border 3 linecolor rgb '#282828'
set tics nomirror textcolor rgb '#282828'
set key outside top left horizontal textcolor rgb '#282828'
set grid linecolor rgb '#dcdcdc' linetype 1 linewidth 0.5
set xlabel 'next observation' textcolor rgb '#282828'
set ylabel 'density' textcolor rgb '#282828'
set xrange [-12:12]
set yrange [0:*]
set datafile separator '\t'
set style fill transparent solid 0.3 noborder
plot 'ddssm.tsv' using 1:2 with boxes linecolor rgb '#1f5fa5' title 'DDSSM', \
     'dkf.tsv' using 1:2 with boxes linecolor rgb '#787878' title 'DKF', \
     'ddssm.tsv' using 1:3 with lines linewidth 2 linecolor rgb '#c85a14' title 'truth'
