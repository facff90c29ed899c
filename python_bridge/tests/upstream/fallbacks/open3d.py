"""The part of Open3D that ReconViaGen registers and voxelises with, on SciPy: Open3D itself is too large for some."""

from types import SimpleNamespace

import numpy as np
from scipy.spatial import KDTree


def _array(kind):
    return lambda values: np.array(values, dtype=kind)


utility = SimpleNamespace(
    Vector3dVector=_array(np.float64), Vector2iVector=_array(np.int32), Vector3iVector=_array(np.int32)
)


class _PointCloud:
    def __init__(self, points=()):
        self.points = np.array(points, dtype=np.float64).reshape(-1, 3)

    def select_by_index(self, indices, invert=False):
        chosen = np.zeros(len(self.points), dtype=bool)
        chosen[np.asarray(indices, dtype=int)] = True
        return _PointCloud(self.points[chosen != invert])

    def remove_statistical_outlier(self, nb_neighbors, std_ratio):
        distances, _ = KDTree(self.points).query(self.points, nb_neighbors)
        means = distances.mean(axis=1)
        kept = np.flatnonzero(means < means.mean() + std_ratio * means.std())
        return self.select_by_index(kept), kept

    def voxel_down_sample(self, voxel_size):
        cells = np.floor((self.points - self.points.min(axis=0)) / voxel_size).astype(int)
        _, members, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
        sums = np.zeros((len(counts), 3))
        np.add.at(sums, members.reshape(-1), self.points)
        return _PointCloud(sums / counts[:, None])

    def transform(self, matrix):
        self.points = self.points @ matrix[:3, :3].T + matrix[:3, 3]
        return self


class _VoxelGrid:
    def __init__(self, cells):
        self._cells = cells

    @staticmethod
    def create_from_triangle_mesh_within_bounds(mesh, voxel_size, min_bound, max_bound):
        """Voxels of points on the triangles, half a voxel apart or closer."""
        corners = mesh.vertices[mesh.triangles]
        longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max()
        num_steps = max(1, int(np.ceil(2 * longest / voxel_size)))
        steps = np.arange(num_steps + 1) / num_steps
        weights = np.array([(a, b, 1 - a - b) for a in steps for b in steps if a + b <= 1 + 1e-9])
        points = (weights @ corners).reshape(-1, 3).clip(min_bound, max_bound)
        return _VoxelGrid(np.unique(((points - min_bound) / voxel_size).astype(int), axis=0))

    def get_voxels(self):
        return [SimpleNamespace(grid_index=cell) for cell in self._cells]


geometry = SimpleNamespace(PointCloud=_PointCloud, TriangleMesh=SimpleNamespace, VoxelGrid=_VoxelGrid)


def _similarity(source, target, with_scaling):
    """The least squares' transform of points onto others (Umeyama 1991)."""
    centre_from, centre_to = source.mean(axis=0), target.mean(axis=0)
    left, values, right = np.linalg.svd((target - centre_to).T @ (source - centre_from))
    signs = np.array([1, 1, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    turn = left * signs @ right
    spread = ((source - centre_from) ** 2).sum()
    scale = (values * signs).sum() / spread if with_scaling and spread > 0 else 1.0
    matrix = np.eye(4)
    matrix[:3, :3] = scale * turn
    matrix[:3, 3] = centre_to - scale * turn @ centre_from
    return matrix


def _moved(points, matrix):
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def _by_correspondence(source, target, corres, distance, estimation_method, ransac_n, criteria):
    numbers = np.random.default_rng(0)
    pairs = np.asarray(corres)
    there, here = source.points[pairs[:, 0]], target.points[pairs[:, 1]]
    best, most = np.eye(4), -1
    for _ in range(min(criteria.max_iteration, 1000) if len(pairs) >= ransac_n else 0):
        chosen = numbers.choice(len(pairs), ransac_n, replace=False)
        matrix = _similarity(there[chosen], here[chosen], estimation_method.with_scaling)
        num_close = (np.linalg.norm(_moved(there, matrix) - here, axis=1) < distance).sum()
        if num_close > most:
            best, most = matrix, num_close
    return SimpleNamespace(transformation=best)


def _evaluate(source, target, distance, matrix):
    away, _ = KDTree(target.points).query(_moved(source.points, matrix))
    return SimpleNamespace(fitness=float((away < distance).mean()))


def _closest_points(source, target, distance, start, estimation, criteria):
    tree, matrix = KDTree(target.points), np.array(start, dtype=np.float64)
    for _ in range(min(criteria.max_iteration, 30)):
        points = _moved(source.points, matrix)
        away, nearest = tree.query(points)
        close = away < distance
        if close.sum() < 3:
            break
        step = _similarity(points[close], target.points[nearest[close]], estimation.with_scaling)
        matrix = step @ matrix
        if np.abs(step - np.eye(4)).max() < 1e-6:
            break
    return SimpleNamespace(transformation=matrix)


def _estimation(with_scaling=False):
    return SimpleNamespace(with_scaling=with_scaling)


def _criteria(max_iteration=30, confidence=0.999):
    return SimpleNamespace(max_iteration=max_iteration)


pipelines = SimpleNamespace(
    registration=SimpleNamespace(
        TransformationEstimationPointToPoint=_estimation,
        RANSACConvergenceCriteria=_criteria,
        ICPConvergenceCriteria=_criteria,
        registration_ransac_based_on_correspondence=_by_correspondence,
        evaluate_registration=_evaluate,
        registration_icp=_closest_points,
    )
)
